"""What reads the log beside the monitors of drift and loss, a file each."""
