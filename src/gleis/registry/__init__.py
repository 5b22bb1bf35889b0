"""Versions, aliases and the append-only deployment history."""
