"""Alarms on their way to people: what is said, to whom, how often it is tried."""
