"""Features that changed together: how they depend on each other, whatever each does alone."""
