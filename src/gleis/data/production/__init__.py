"""New training data from production: answers, and what came of them."""
