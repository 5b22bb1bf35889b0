"""Two windows side by side, for those used to them: tests, distances, false discoveries."""
