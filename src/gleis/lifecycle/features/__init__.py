"""Feature views of a project and their online store."""
