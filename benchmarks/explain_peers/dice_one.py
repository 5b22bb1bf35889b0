"""``dice_ml``: one counterfactual."""

from __future__ import annotations

import dice
from world import World


def prepare(world: World):
    return dice.prepare(world, count=1)
