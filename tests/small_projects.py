"""Small projects that train in a blink, for tests of the whole loop."""

from __future__ import annotations

from pathlib import Path

SHIFTING_TOML = """
[project]
name = "shifting"
module = "shifting"
task = "binary"
target = "bought"
id = "visit"
time = "at"
label_delay = "6h"

[split]
by = "time"
test = "3d"

[evidence]
bootstrap = 50

[gates]
roc_auc = ">= 0.6"

[triggers]
drift = { false_alarms = "1 per year" }
cooldown = "5d"
"""

SHIFTING_MODULE = '''
"""Visits of a shop; from 1 March on, prices are higher and buyers choosier."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

START, DAYS, A_DAY = datetime(2024, 2, 1, tzinfo=UTC), 60, 120
CHANGE = 29


def load(since, until):
    rows = visits()
    if since is not None:
        rows = rows.filter(pl.col("at") >= since)
    if until is not None:
        rows = rows.filter(pl.col("at") < until)
    return rows


def build_model(params):
    return make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), ["channel"]),
            (StandardScaler(), ["price", "pages"]),
        ),
        LogisticRegression(**params),
    )


def baseline(rows, history):
    rate = history.group_by("channel").agg(pl.col("bought").mean().alias("rate"))
    return rows.join(rate, on="channel", how="left", maintain_order="left")["rate"]


def visits():
    rng = np.random.default_rng(0)
    n = DAYS * A_DAY
    day = np.arange(n) // A_DAY
    late = day >= CHANGE
    price = rng.normal(10, 2, n) + np.where(late, 6, 0)
    pages = rng.integers(1, 12, n)
    channel = rng.choice(["web", "shop", "phone"], n)
    logit = 0.4 * pages - 0.5 * (price - 10) + np.where(late, 2.5, 0) - 2 + (channel == "web")
    bought = rng.random(n) < 1 / (1 + np.exp(-logit))
    at = [START + timedelta(days=int(d), minutes=int(i % A_DAY) * 12) for i, d in enumerate(day)]
    return pl.DataFrame(
        {
            "visit": np.arange(n),
            "at": at,
            "price": price,
            "pages": pages,
            "channel": channel,
            "bought": bought.astype(int),
        }
    )
'''


def make_shifting(folder: Path) -> Path:
    """Write the project whose world changes on 1 March 2024."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gleis.toml").write_text(SHIFTING_TOML)
    (folder / "shifting.py").write_text(SHIFTING_MODULE)
    return folder


ORDERS_TOML = """
[project]
name = "orders"
module = "orders"
task = "binary"
target = "returned"
id = "order"
time = "at"

[split]
by = "time"
test = 0.3

[evidence]
bootstrap = 20

[gates]
roc_auc = ">= 0.55"

[triggers]
new_labels = 200

[loop]
every = "0.5s"
"""

ORDERS_MODULE = '''
"""Orders of a shop, in a file that grows."""

from pathlib import Path

import polars as pl
from sklearn.linear_model import LogisticRegression


def load(since, until):
    rows = pl.read_csv(Path(__file__).with_name("orders.csv"), try_parse_dates=True)
    rows = rows.with_columns(pl.col("at").dt.replace_time_zone("UTC"))
    if since is not None:
        rows = rows.filter(pl.col("at") >= since)
    if until is not None:
        rows = rows.filter(pl.col("at") < until)
    return rows


def build_model(params):
    return LogisticRegression(**params)
'''


def make_orders(folder: Path, rows: list[dict]) -> Path:
    """Write the project that learns from a growing file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gleis.toml").write_text(ORDERS_TOML)
    (folder / "orders.py").write_text(ORDERS_MODULE)
    (folder / "orders.csv").write_text("order,at,price,items,returned\n")
    append_orders(folder, rows)
    return folder


def append_orders(folder: Path, rows: list[dict]) -> None:
    """Append rows to the file of the project ``orders``."""
    with (folder / "orders.csv").open("a") as file:
        for row in rows:
            file.write(",".join(str(value) for value in row.values()) + "\n")
