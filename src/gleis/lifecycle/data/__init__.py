"""A project's data: versions, sources, what is in them, and who is erased from them."""
