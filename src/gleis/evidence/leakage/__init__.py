"""Signs that a test score is too good to be true, a kind each file; ``look.py`` looks for all."""
