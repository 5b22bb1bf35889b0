"""Outlier scores of rows, a method each file; ``scorer.py`` chooses."""
