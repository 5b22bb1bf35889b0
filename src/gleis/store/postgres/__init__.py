"""A project's stores as schemas of a PostgreSQL database."""
