"""Performance before labels come: from calibrated scores, or from a small model of the loss."""
