"""How a model treats groups of people: rates by group, and what separates them."""
