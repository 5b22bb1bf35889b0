"""A package with its server as a container image, and what runs such an image."""
