"""Look for personal data in a table: by values with their checks, and by names of columns."""

from __future__ import annotations

import re
from math import exp, lgamma, log, log1p
from typing import NamedTuple

import polars as pl

from gleis.contracts.privacy import Finding, Scan
from gleis.data.privacy.column_names import TITLES, kinds_of_name
from gleis.data.privacy.kinds import KINDS, Kind
from gleis.data.privacy.mask import mask

SAMPLE = 10_000
"""Rows that the scan of an append looks at."""
_ALPHA = 1e-6
"""A column of random values is taken for personal data at most so often, a kind."""
_NAMED_ENOUGH = 0.01
"""Share of values of the right form that is enough where the name says so too."""
_OLDEST = 1900
"""Years of birth before this are of nobody alive."""
_DAYS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y%m%d")
"""How days are written: ISO 8601, German, French and Spanish, American, compact."""
_DOUBT = 0.02
"""Below this chance, a few values that pass are worth a line."""


def scan(frame: pl.DataFrame, sample: int | None = SAMPLE, seed: int = 0) -> Scan:
    """Look for personal data.

    Text and whole numbers are looked at. Where a kind of number has a check digit, its distinct
    values are counted that have the form and that pass; that so many pass although all are random
    has the binomial probability ``P(X >= passed | candidates, chance)``, and below one in a
    million the column holds some. A fixed value that repeats is one piece of evidence.

    Parameters
    ----------
    frame : DataFrame, (n_rows, n_columns)
        As ``to_frame`` makes it.
    sample : int, optional
        Rows looked at, drawn without replacement; None: all.
    seed : int
        Of the draw.

    Returns
    -------
    Scan
        Examples in it are masked.

    Examples
    --------
    >>> frame = pl.DataFrame({"contact": ["anna@example.org", "n/a"], "price": [3, 4]})
    >>> [(each.column, each.kind, each.level) for each in scan(frame).findings]
    [('contact', 'email', 'found')]
    """
    rows = frame.height
    looked = frame if sample is None or rows <= sample else frame.sample(sample, seed=seed)
    columns = tuple(name for name, kind in frame.schema.items() if _has_values(kind))
    findings = [found for name in frame.columns for found in _look(looked[name], name in columns)]
    return Scan(
        rows=rows,
        scanned=looked.height,
        seed=seed,
        columns=columns,
        findings=tuple(sorted(findings, key=lambda each: (each.level != "found", -each.share))),
        missed=0.0 if looked.height == rows else (1 - 1e-3) ** looked.height,
    )


def _has_values(kind: pl.DataType) -> bool:
    return kind == pl.String or kind.is_integer()


def _look(column: pl.Series, valued: bool) -> list[Finding]:
    named = kinds_of_name(column.name)
    found = []
    if valued:
        for kind, counts in _possible(column):
            if (one := _weigh(column, kind, counts, kind.name in named)) is not None:
                found.append(one)
    if "birth_date" in named and (born := _born(column)) is not None:
        return [*found, born]
    seen = {one.kind for one in found if one.level == "found"}
    found = [one for one in found if one.level == "found" or not seen]
    told = {one.kind for one in found}
    return [*found, *(_by_name(column, name) for name in named if not told and name not in told)]


class _Counts(NamedTuple):
    """What values of one kind a column has."""

    candidates: set[str]
    passed: set[str]
    rows: int
    """Rows with one that passed."""
    examples: list[str]


def _possible(column: pl.Series) -> list[tuple[Kind, _Counts]]:
    """Return the kinds of which a column has candidates."""
    counted = column.drop_nulls().value_counts(name="rows")
    if column.dtype.is_integer():
        wide = counted.with_columns(pl.col(column.name).cast(pl.Int64))
        return _whole_numbers(wide.filter(wide[column.name] > 10**9), column.name)
    texts, found = counted[column.name], []
    for kind in KINDS:
        some = counted.filter(texts.str.contains(kind.form))
        if some.height:
            found.append((kind, _count(kind, some, column.name)))
    return found


def _whole_numbers(counted: pl.DataFrame, name: str) -> list[tuple[Kind, _Counts]]:
    found = []
    for kind in KINDS:
        if kind.digits is None:
            continue
        low, high = 10 ** (kind.digits[0] - 1), min(10 ** kind.digits[1], 2**63) - 1
        some = counted.filter(counted[name].is_between(low, high))
        if some.height:
            texts = some.with_columns(pl.col(name).cast(pl.String).str.zfill(kind.digits[0] + 1))
            plain = some.with_columns(pl.col(name).cast(pl.String))
            padded = kind.name == "pesel"  # born from 2000 to 2009: a number begins with 0
            found.append((kind, _count(kind, texts if padded else plain, name)))
    return found


def _count(kind: Kind, counted: pl.DataFrame, name: str) -> _Counts:
    form = re.compile(kind.form)
    candidates: set[str] = set()
    passed: set[str] = set()
    rows = 0
    examples: list[str] = []
    counted = counted.sort(name)  # value_counts promises no order
    for text, times in zip(counted[name].to_list(), counted["rows"].to_list(), strict=True):
        read = {value for each in form.findall(text) if (value := kind.read(each)) is not None}
        good = {value for value in read if kind.check(value)}
        candidates |= read
        passed |= good
        rows += times if good else 0
        if good and len(examples) < 3:
            examples.append(min(good))
    return _Counts(candidates, passed, rows, examples)


def _weigh(column: pl.Series, kind: Kind, counts: _Counts, named: bool) -> Finding | None:
    values = len(column) - column.null_count()
    if not counts.passed:
        return None
    share = counts.rows / values
    tried, passed = len(counts.candidates), len(counts.passed)
    p_value = None if kind.chance is None else binomial_tail(passed, tried, kind.chance)
    if p_value is not None:
        sure = p_value < _ALPHA
        why = (
            f"{passed:,} of {tried:,} candidates pass the check, by chance {kind.chance:.1%} would"
        )
    else:
        sure = share >= (_NAMED_ENOUGH if named else kind.enough)
        why = f"{share:.2%} of the values have the form"
    if not (sure or named or (p_value is not None and p_value < _DOUBT)):
        return None
    return Finding(
        column=column.name,
        kind=kind.name,
        level="found" if sure else "possible",
        share=share,
        values=passed,
        candidates=tried,
        chance=kind.chance,
        p_value=p_value,
        named=named,
        examples=tuple(mask(each) for each in counts.examples),
        why=why + (", and the name says so" if named else ""),
    )


def _born(column: pl.Series) -> Finding | None:
    """Find dates of birth: the name says so, and the dates are of people who may be alive."""
    values = column.drop_nulls()
    if column.dtype == pl.String:
        values = _days(values)
    if not isinstance(values.dtype, pl.Datetime | pl.Date) or values.is_empty():
        return None
    alive = values.dt.year() >= _OLDEST
    share = float(alive.sum()) / max(1, len(column) - column.null_count())
    if share < 0.5:
        return None
    return Finding(
        column=column.name,
        kind="birth_date",
        level="found",
        share=share,
        values=values.filter(alive).n_unique(),
        candidates=values.n_unique(),
        chance=None,
        p_value=None,
        named=True,
        examples=(),
        why=f"the name says so, and {share:.0%} of the values are dates since {_OLDEST}",
    )


def _days(texts: pl.Series) -> pl.Series:
    """Return the days that texts are; written as most of them are written."""
    read = [texts.str.to_date(form, strict=False, exact=False).drop_nulls() for form in _DAYS]
    return max(read, key=len)


def _by_name(column: pl.Series, kind: str) -> Finding:
    title = TITLES.get(kind) or next(each.title for each in KINDS if each.name == kind)
    return Finding(
        column=column.name,
        kind=kind,
        level="possible",
        share=0.0,
        values=0,
        candidates=0,
        chance=None,
        p_value=None,
        named=True,
        examples=(),
        why=f"only its name speaks of it: {title}",
    )


def binomial_tail(passed: int, tried: int, chance: float) -> float:
    """Return ``P(X >= passed)`` for a binomial X; above its mean, a bound that is never below it.

    Exact up to 1,000 terms, then Chernoff's bound ``exp(-n KL(passed / n || chance))`` [1]_.

    References
    ----------
    .. [1] Chernoff (1952). A measure of asymptotic efficiency for tests of a hypothesis based on
       the sum of observations. Theorem 1.

    Examples
    --------
    >>> round(binomial_tail(2, 2, 0.1), 4), binomial_tail(0, 5, 0.1)
    (0.01, 1.0)
    """
    if passed <= tried * chance:
        return 1.0
    if tried > 1000:
        share = passed / tried
        apart = share * log(share / chance)
        apart += (1 - share) * log((1 - share) / (1 - chance)) if share < 1 else 0.0
        return exp(-tried * apart)
    logs = (
        lgamma(tried + 1) - lgamma(k + 1) - lgamma(tried - k + 1)
        + k * log(chance) + (tried - k) * log1p(-chance)
        for k in range(passed, tried + 1)
    )  # fmt: skip
    return min(1.0, sum(exp(each) for each in logs))
