"""Feature views: written once, joined in time offline, looked up online."""
