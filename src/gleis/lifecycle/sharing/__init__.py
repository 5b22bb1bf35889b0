"""A project's things on another side: a remote, or a database."""
