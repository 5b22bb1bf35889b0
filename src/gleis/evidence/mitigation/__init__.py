"""Mitigations as scikit-learn estimators, a file each. docs/mitigation.md says which does what."""
