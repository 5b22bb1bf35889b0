"""Who may ask the service for what: API keys, bearer tokens, rates."""
