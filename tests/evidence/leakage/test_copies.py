from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evidence.leakage.planted_leaks import honest, look, settings_of, sides_of
from gleis.evidence.leakage.copies import find_copies
from gleis.evidence.leakage.near import find_near_copies


def planted(share, noise=0.0, seed=0, **keywords):
    """Replace some test rows by training rows, moved by noise."""
    rows = honest(seed=seed, **keywords)
    rng = np.random.default_rng(seed)
    test = np.arange(900, 1200)
    count = int(share * len(test))
    source = rng.choice(900, count, replace=False)
    copies = rows[source].with_columns(
        [pl.col(f"x{i}") + pl.Series(rng.normal(scale=noise, size=count)) for i in range(4)]
    )
    return pl.concat([rows[:900], copies, rows[900 + count :]]), test


@pytest.mark.parametrize("seed", range(3))
def test_copies_are_counted_and_certain(seed):
    rows, test = planted(0.1, seed=seed)
    scores = np.random.default_rng(0).random(300)
    (leak,) = look(rows, settings_of(), test=test, scores=scores, seed=seed).leaks
    assert (leak.kind, leak.certain) == ("duplicates", True)
    assert "30 of 300 (10.0%)" in leak.reason
    assert set(leak.figures) == {"copies.accuracy", "others.accuracy"}


def test_a_few_copies_move_no_figure():
    rows, test = planted(0.01)
    found = look(rows, settings_of(), test=test)
    assert found.leaks == ()
    assert "Copies: 3 of 300 (1.0%) test rows, too few to move a figure." in found.checked


def test_copies_beside_a_feature_in_another_unit():
    rows, test = planted(0.1)
    rows = rows.select("x0", fahrenheit=pl.col("x0") * 1.8 + 32, shop="shop", y="y")
    assert find_copies(sides_of(rows, settings_of(), test=test), 0).leaks[0].certain


@pytest.mark.parametrize("seed", range(4))
def test_strangers_with_few_different_values_agree_by_chance(seed):
    rng = np.random.default_rng(seed)
    n = 2000
    degrees = rng.integers(0, 3000, n)
    rows = pl.DataFrame(
        {
            "degrees": degrees,
            "fahrenheit": degrees * 1.8 + 32,
            "kind": rng.choice(["a", "b"], n),
            "y": rng.integers(0, 2, n),
        }
    )
    few = pl.DataFrame({f"c{i}": rng.integers(0, 4, n) for i in range(4)}).with_columns(
        y=pl.Series(rng.integers(0, 2, n))
    )
    for table in (rows, few, few.with_columns(c4=pl.col("c0") * 10 + pl.col("c1"))):
        found = find_copies(sides_of(table, settings_of(), seed=seed), seed)
        assert [leak.certain for leak in found.leaks] == [False]


@pytest.mark.parametrize("seed", range(3))
def test_near_copies_are_found(seed):
    rows, test = planted(0.2, noise=0.01, seed=seed)
    (leak,) = look(rows, settings_of(), test=test, seed=seed).leaks
    assert (leak.kind, leak.certain) == ("duplicates", True)
    assert "60 of 300" in leak.reason or "59 of 300" in leak.reason
    rows, test = planted(0.03, noise=0.001, seed=seed)
    (leak,) = look(rows, settings_of(), test=test, seed=seed).leaks
    assert not leak.certain


def strangers(kind, n, rng):
    if kind == "line":
        t = rng.normal(size=n)
        return np.column_stack([t, 2 * t + 1e-9 * rng.normal(size=n), np.sin(t)])
    if kind == "clusters":
        return rng.normal(size=(20, 6))[rng.integers(0, 20, n)] + 0.01 * rng.normal(size=(n, 6))
    if kind == "skewed":
        return np.exp(2 * rng.normal(size=(n, 4)))
    if kind == "grid":
        return rng.integers(0, 12, size=(n, 3)) + 0.0
    if kind == "wide":
        return rng.normal(size=(n, 60))
    return rng.normal(size=(n, 2))


@pytest.mark.parametrize("kind", ["line", "plane", "clusters", "skewed", "grid", "wide"])
@pytest.mark.parametrize("seed", range(5))
def test_strangers_are_no_near_copies_wherever_they_lie(kind, seed):
    rng = np.random.default_rng(seed)
    x = strangers(kind, 3000, rng)
    rows = pl.DataFrame({f"x{i}": x[:, i] for i in range(x.shape[1])})
    rows = rows.with_columns(
        shop=pl.Series(rng.choice(["a", "b"], 3000)), y=pl.int_range(pl.len()) % 2
    )
    assert find_near_copies(sides_of(rows, settings_of(), seed=seed), seed).leaks == ()


def test_text_alone_and_constant_numbers_have_no_near_copies():
    rows = honest().select("shop", "y")
    assert find_near_copies(sides_of(rows, settings_of()), 0).leaks == ()
    constant = honest().select("y", one=pl.lit(1.0), none=pl.lit(None, pl.Float64))
    assert find_near_copies(sides_of(constant, settings_of()), 0).leaks == ()
