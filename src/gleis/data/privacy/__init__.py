"""Personal data: which values are some, and whether that was declared."""
