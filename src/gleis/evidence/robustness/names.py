"""Names of the kinds of damage, and of what is measured after each, as gates know them."""

from __future__ import annotations

PERTURBATIONS = (
    "noise_1pct",
    "noise_5pct",
    "noise_10pct",
    "noise_25pct",
    "missing_10pct",
    "missing_25pct",
    "swapped_5pct",
    "out_of_range",
    "unseen_category",
    "stuck_feature",
    "unit_slip",
    "adversarial_1pct",
)
"""In the order in which they are reported."""

CHANGES = ("score_change", "flips")
"""Measured beside the metrics and their drops; ``flips`` of classifiers only."""
