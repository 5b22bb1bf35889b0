"""What rows must hold: declared, compiled to one pass, and what becomes of those that fail."""
