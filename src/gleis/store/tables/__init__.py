"""Dataset tables: Delta Lake."""
