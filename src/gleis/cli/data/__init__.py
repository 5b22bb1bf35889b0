"""``gleis data``: a command a file; ``group.py`` lists them."""
