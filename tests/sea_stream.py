"""The SEA stream as a project: three abrupt changes of the concept, 10% label noise.

Street, Kim (2001). A streaming ensemble algorithm (SEA) for large-scale classification. KDD,
section 4.2: 50,000 rows of three numbers from 0 to 10, of which the third is irrelevant; the class
is whether the first two add up to at most a threshold, which is 8, then 9, 7 and 9.5, for 12,500
rows each; a tenth of the labels is turned.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

ROWS_A_DAY = 500
DAYS_A_CONCEPT = 25
START = datetime(2024, 1, 1, tzinfo=UTC)
KNOWN = START + timedelta(days=10)
"""Until then the first model learns."""
CHANGES = tuple(START + timedelta(days=DAYS_A_CONCEPT * k) for k in (1, 2, 3))
END = START + timedelta(days=4 * DAYS_A_CONCEPT)

TOML = """
[project]
name = "sea"
module = "sea"
task = "binary"
target = "inside"
id = "row"
time = "at"
label_delay = "1h"

[split]
by = "time"
test = "3d"

[evidence]
bootstrap = 20

[gates]
roc_auc = ">= 0.7"

[triggers]
drift = { false_alarms = "1 per year" }
performance = { false_alarms = "1 per year", since_change = 800 }
"""

MODULE = f'''
"""The SEA stream."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier

START, DAYS, A_DAY = datetime(2024, 1, 1, tzinfo=UTC), {4 * DAYS_A_CONCEPT}, {ROWS_A_DAY}
THRESHOLDS = (8.0, 9.0, 7.0, 9.5)


def load(since, until):
    rows = stream()
    if since is not None:
        rows = rows.filter(pl.col("at") >= since)
    if until is not None:
        rows = rows.filter(pl.col("at") < until)
    return rows


def build_model(params):
    return HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=8)


def stream():
    rng = np.random.default_rng(7)
    n = DAYS * A_DAY
    first, second, third = rng.uniform(0, 10, (3, n))
    threshold = np.repeat(THRESHOLDS, n // 4)
    inside = (first + second <= threshold) ^ (rng.random(n) < 0.1)
    seconds = 86_400 / A_DAY
    return pl.DataFrame(
        {{
            "row": np.arange(n),
            "at": [START + timedelta(seconds=i * seconds) for i in range(n)],
            "first": first,
            "second": second,
            "third": third,
            "inside": inside.astype(int),
        }}
    )
'''


def make_sea(folder: Path) -> Path:
    """Write the project."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gleis.toml").write_text(TOML)
    (folder / "sea.py").write_text(MODULE)
    return folder
