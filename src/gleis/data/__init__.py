"""Source to dataset version: the door, checks, profile sketches, splits."""
