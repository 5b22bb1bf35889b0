"""Checks that a version suggests: what all its rows hold, with room for rows not seen yet."""

from __future__ import annotations

import math
import sys
from datetime import datetime
from typing import Any

import polars as pl

from gleis.contracts.dataset import DatasetSpec

_ENOUGH = 30
"""Rows from which on it means something that no value was missing."""
_MARGIN = 0.1
"""Share of the range that is left free at either end."""
_CATEGORIES = 50
_CLASSES = 20
_UNSEEN = 0.0005
"""Largest estimated share of rows with a category that was not seen, for the seen to be listed."""
_KEYS = 1000
"""Rows from which on a text that never repeats is taken for a key."""

Proposal = dict[str, dict[str, Any]]
"""Column to the keys of ``[data.checks]``."""


def propose(frame: pl.DataFrame, spec: DatasetSpec) -> Proposal:
    """Return checks that all rows of a table pass, in the words of ``[data.checks]``.

    - ``type`` is that of the column.
    - Without a missing value among 30 rows or more: ``nullable = false``. Else the share that may
      be missing is the upper end of its 99.9% interval [1]_.
    - A number may go a tenth of the seen range beyond it, rounded outwards; it stays at 0 where no
      value is negative, and within 0 and 1 where all are.
    - The values of a text are listed where there are at most 50, and Good's estimate [2]_ says that
      at most 1 row of 2,000 has another one: the share of rows whose value occurs once.
    - The id is ``unique``, and so is a text that never repeats in 1,000 rows.

    The target may always be missing, its label comes later; up to 20 classes are listed.

    Parameters
    ----------
    frame : DataFrame, (n_rows, n_columns)
        Rows of a version.
    spec : DatasetSpec
        Names id, time and target.

    References
    ----------
    .. [1] Wilson (1927). Probable inference, the law of succession, and statistical inference.
       JASA 22, 209-212.
    .. [2] Good (1953). The population frequencies of species and the estimation of population
       parameters. Biometrika 40, 237-264, equation 9.

    Examples
    --------
    >>> rows = pl.DataFrame({"temp": [-3.5, 20.25] * 20, "carrier": ["AA", "UA"] * 20})
    >>> propose(rows, DatasetSpec(name="flights"))["temp"]
    {'type': 'number', 'nullable': False, 'min': -6.0, 'max': 23.0}
    """
    return {name: _column(frame[name], spec) for name in frame.columns}


def _column(values: pl.Series, spec: DatasetSpec) -> dict[str, Any]:
    kind = _kind(values.dtype)
    found: dict[str, Any] = {} if kind is None else {"type": kind}
    found |= _missing(values, spec)
    if values.name == spec.id:
        return found | {"unique": True}
    if values.name == spec.target and kind != "number" and values.n_unique() <= _CLASSES:
        classes = values.drop_nulls().unique().sort().to_list()
        return found | ({"in": classes} if classes else {})
    if kind in ("number", "integer"):
        found |= _range(values.drop_nulls())
    if kind == "text":
        found |= _texts(values.drop_nulls())
    return found


def _kind(dtype: pl.DataType) -> str | None:
    if dtype.is_float():
        return "number"
    if dtype.is_integer():
        return "integer"
    if dtype == pl.Boolean:
        return "boolean"
    return "time" if isinstance(dtype, pl.Datetime) else "text" if dtype == pl.String else None


def _missing(values: pl.Series, spec: DatasetSpec) -> dict[str, Any]:
    rows, missing = values.len(), values.null_count()
    if values.name in (spec.id, spec.time, spec.known):
        return {"nullable": False} if not missing else {}
    if values.name == spec.target or rows < _ENOUGH:
        return {}
    if not missing:
        return {"nullable": False}
    share = math.ceil(_upper(missing, rows) * 100) / 100
    return {"max_missing": share} if share < 1 else {}


def _upper(count: int, rows: int, z: float = 3.09) -> float:
    """Return the upper end of Wilson's interval of a share."""
    share, spread = count / rows, z * z / rows
    root = math.sqrt(share * (1 - share) / rows + spread / (4 * rows))
    return (share + spread / 2 + z * root) / (1 + spread)


def _range(values: pl.Series) -> dict[str, Any]:
    low, high = values.min(), values.max()
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return {}
    if not (math.isfinite(low) and math.isfinite(high)):
        return {}
    room = _MARGIN * ((high - low) or abs(high) or 1)
    if not sys.float_info.min / _MARGIN <= room < math.inf:
        return {}  # too large or too small to be rounded
    least, most = _round(low - room, room, math.floor), _round(high + room, room, math.ceil)
    if low >= 0:
        least = max(least, 0)
        if high <= 1 and values.dtype.is_float():
            most = min(most, 1)
    if values.dtype.is_integer():
        whole = math.floor(min(least, low)), math.ceil(max(most, high))
        return {"min": max(whole[0], -(2**63)), "max": min(whole[1], 2**63 - 1)}
    return {"min": float(min(least, low)), "max": float(max(most, high))}


def _round(value: float, room: float, outwards: Any) -> float:
    """Round outwards, by no more than the room once again."""
    digits = -math.floor(math.log10(room))
    step = 10.0**-digits
    return float(round(outwards(value / step) * step, max(0, digits)))


def _texts(values: pl.Series) -> dict[str, Any]:
    rows = values.len()
    if not rows:
        return {}
    counts = values.value_counts()
    once = counts.filter(pl.col("count") == 1).height
    if rows >= _KEYS and once == rows:
        return {"unique": True}
    if counts.height <= _CATEGORIES and once <= _UNSEEN * rows:
        return {"in": sorted(counts[values.name].to_list())}
    return {}


def to_toml(proposal: Proposal, table: str) -> str:
    """Write a proposal as ``gleis.toml`` has it, under ``[table]``.

    Examples
    --------
    >>> print(to_toml({"air time": {"type": "number", "min": 0}}, "data.checks"), end="")
    [data.checks]
    "air time" = { type = "number", min = 0 }
    """
    lines = [f"[{table}]"]
    for name, keys in proposal.items():
        inner = ", ".join(f"{key} = {_toml(value)}" for key, value in keys.items())
        bare = name.isascii() and name.replace("_", "a").replace("-", "a").isalnum()
        lines.append(f"{name if bare else _quoted(name)} = {{ {inner} }}")
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return repr(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return (
        '"' + "".join(c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in escaped) + '"'
    )


def to_pandera(
    proposal: Proposal, frame: pl.DataFrame, name: str, source: str, at: datetime
) -> str:
    """Write a proposal as a ``schema.py``; shares of missing values have no place there.

    Parameters
    ----------
    proposal : dict
    frame : DataFrame
        Whose types the schema asks for.
    name : str
        Of the schema: ``schema``, or after a table beside.
    source : str
        Version that it was read off.
    at : datetime
        When.
    """
    columns = [
        f"        {_python(column)}: pa.Column({', '.join(_pandera(frame.schema[column], keys))}),"
        for column, keys in proposal.items()
    ]
    return "\n".join(
        [
            f'"""What rows hold, as {source} suggests ({at:%Y-%m-%d})."""',
            "",
            "import pandera.polars as pa",
            "import polars as pl",
            "",
            f"{name} = pa.DataFrameSchema(",
            "    {",
            *columns,
            "    },",
            ")",
            "",
        ]
    )


def _pandera(kind: pl.DataType, keys: dict[str, Any]) -> list[str]:
    """Return the arguments of a column."""
    shown = 'pl.Datetime("us", "UTC")' if isinstance(kind, pl.Datetime) else f"pl.{kind}"
    found = [shown]
    if "min" in keys:
        found.append(f"pa.Check.in_range({keys['min']!r}, {keys['max']!r})")
    if "in" in keys:
        found.append(f"pa.Check.isin([{', '.join(map(_python, keys['in']))}])")
    if keys.get("nullable", True):
        found.append("nullable=True")
    if keys.get("unique"):
        found.append("unique=True")
    return found


def _python(value: Any) -> str:
    return _quoted(value) if isinstance(value, str) else repr(value)
