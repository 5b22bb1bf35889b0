"""`gleis.toml`, `GLEIS_*` and flags become one frozen `Settings`."""
