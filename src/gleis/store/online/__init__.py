"""The newest features of entities, looked up within a request."""
