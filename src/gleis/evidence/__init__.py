"""What is known about a model: quality with intervals, slices, calibration."""
