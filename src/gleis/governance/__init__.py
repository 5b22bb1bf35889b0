"""Evidence and policy become a verdict; the model card."""
