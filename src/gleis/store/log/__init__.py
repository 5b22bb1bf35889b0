"""The prediction log: what was answered, what was true, and what people said of it."""
