"""Policies replayed over history, and weighed against each other."""
