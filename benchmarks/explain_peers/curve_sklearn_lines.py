"""The same, a line for each row."""

from __future__ import annotations

import curve_sklearn
from world import World


def prepare(world: World):
    return curve_sklearn.prepare(world, kind="individual")
