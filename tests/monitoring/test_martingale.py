import math

import numpy as np
import pytest

from gleis.monitoring.bets import CELLS, HISTOGRAMS, fixed_bets, learn_density
from gleis.monitoring.martingale import Martingale

RNG = np.random.default_rng(0)


def capital_by_hand(ranks):
    """One column by the recursion of the docstring, without logarithms."""
    logs = fixed_bets("both")[(ranks * CELLS).astype(int)]
    learned = []
    for n_cells, rows in HISTOGRAMS:
        cells = (ranks * n_cells).astype(int)[:, None]
        learned.append(learn_density(cells, np.zeros((1, n_cells)), rows)[0])
    densities = np.exp(np.column_stack([logs, *learned]))
    stakes, waiting = np.zeros(densities.shape[1]), 1.0
    for t, f in enumerate(densities, 1):
        left = 1 / (1 + math.log1p(t / 1000))
        stakes = (stakes + waiting - left) * f
        waiting = left
    return waiting + stakes.mean()


@pytest.mark.parametrize("cuts", [[], [1], [100, 101, 250]])
def test_capital_follows_the_recursion_however_rows_are_cut(cuts):
    ranks = np.clip(RNG.random((400, 2)) ** [1.0, 0.8], 0, 1 - 1e-9)
    martingale = Martingale(2)
    for part in np.split(ranks, cuts):
        martingale.update(part)
    expected = [math.log(capital_by_hand(ranks[:, c])) for c in range(2)]
    assert martingale.log_capital() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("rows", "power"), [(0, 1.0), (200, 1.0), (200, 0.6)])
def test_no_next_rank_is_favoured_on_average(rows, power):
    """The martingale property, exactly: the same past, then every cell a rank can fall into."""
    martingale = Martingale(CELLS)
    past = np.random.default_rng(rows).random((rows, 1)) ** power
    if rows:
        martingale.update(np.repeat(past, CELLS, axis=1))
    before = np.exp(martingale.log_capital())
    martingale.update((np.arange(CELLS)[None, :] + 0.5) / CELLS)
    after = np.exp(martingale.log_capital())
    assert after.std() > 1e-5 * before[0]
    assert after.mean() == pytest.approx(before[0], rel=1e-12)


def test_capital_rarely_doubles():
    """Ville: at most half of all quiet columns ever do; and some do, or the bets are timid."""
    martingale, highest = Martingale(400), np.full(400, -np.inf)
    rng = np.random.default_rng(1)
    for _ in range(60):
        martingale.update(rng.random((50, 400)))
        highest = np.maximum(highest, martingale.log_capital())
    doubled = (highest >= math.log(2)).mean()
    assert 0.005 < doubled <= 0.5


@pytest.mark.parametrize("quiet", [0, 3000])
def test_start_of_a_change_is_found(quiet):
    rng = np.random.default_rng(2)
    martingale = Martingale(1)
    if quiet:
        martingale.update(rng.random((quiet, 1)))
    martingale.update(rng.random((300, 1)) ** 0.4)
    assert martingale.log_capital()[0] > math.log(1000)
    assert abs(martingale.start[0, martingale.best_bet()[0]] - quiet) < 40


def test_restart_gives_a_fresh_capital_to_some_columns():
    martingale = Martingale(2)
    martingale.update(np.random.default_rng(3).random((300, 2)) ** 0.5)
    kept = martingale.log_capital()[1]
    martingale.restart(np.array([0]))
    assert martingale.log_capital()[0] == 0.0
    assert martingale.log_capital()[1] == kept
    assert (martingale.start[0] == 300).all()


def test_ranks_of_zero_and_one_are_taken():
    martingale = Martingale(1)
    martingale.update(np.array([[0.0], [1.0]]))
    assert np.isfinite(martingale.log_capital()).all()
