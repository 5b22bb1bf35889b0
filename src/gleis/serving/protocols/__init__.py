"""The protocols over the data plane: thin adapters, a table of routes each."""
