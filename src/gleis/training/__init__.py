"""Dataset version to run: cached steps, seeds, environment."""
