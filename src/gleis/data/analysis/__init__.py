"""What is in a table, and what differs between two: pure functions of frames."""
