"""Seeds: every random choice of a run is named and set."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import numpy as np


def derive_seed(seed: int, name: str) -> int:
    """Return a 32-bit seed of its own for ``name``, from the project's seed.

    Examples
    --------
    >>> derive_seed(0, "split") == derive_seed(0, "split") != derive_seed(0, "bootstrap")
    True
    """
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def seed_estimator(estimator: Any, seed: int) -> dict[str, int]:
    """Set every ``random_state`` the user left open, and Python's and numpy's global seeds.

    Returns
    -------
    dict of str to int
        Parameter path -> seed, also of those the user set to an integer.
    """
    used: dict[str, int] = {}
    for path, value in estimator.get_params(deep=True).items():
        if path.rpartition("__")[2] != "random_state":
            continue
        if value is None:
            used[path] = derive_seed(seed, path)
        elif isinstance(value, int):
            used[path] = value
    estimator.set_params(**used)
    used["python"] = derive_seed(seed, "python")
    random.seed(used["python"])
    np.random.seed(used["python"])  # a user's estimator may draw from it
    return used
