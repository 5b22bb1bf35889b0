"""Alarms: what they mean, who is told, and what was done about them."""
