"""Outlier models, fitted on training rows, a method each file; ``fit.py`` chooses."""
