"""A run and its evidence become one directory that runs and tests itself anywhere."""
