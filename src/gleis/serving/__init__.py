"""A package answers requests and writes the prediction log."""
