"""Which observers there are."""

from __future__ import annotations

from collections.abc import Mapping

from gleis.lifecycle.observers.estimate import make_estimate
from gleis.lifecycle.observers.fairness import make_fairness
from gleis.lifecycle.observers.joint import make_joint
from gleis.lifecycle.observers.labels import make_labels
from gleis.lifecycle.observers.observer import Maker
from gleis.lifecycle.observers.reviews import make_reviews

OBSERVERS: Mapping[str, Maker] = {
    "estimate": make_estimate,
    "labels": make_labels,
    "fairness": make_fairness,
    "joint": make_joint,
    "reviews": make_reviews,
}
"""Name -> maker, in the order in which they see and are shown."""
TESTING = ("estimate", "labels", "fairness", "joint")
"""Those that test something share ``monitor.false_alarms`` evenly."""
