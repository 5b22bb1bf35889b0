"""How a model bears damaged inputs: kinds of damage, and the metrics after each."""
