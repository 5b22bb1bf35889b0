import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from gleis.monitoring.bets import CELLS, fixed_bets, learn_density, missing_bets


@pytest.mark.parametrize("side", ["both", "higher"])
def test_every_bet_is_fair(side):
    assert np.exp(fixed_bets(side)).mean(axis=0) == pytest.approx(1.0, abs=1e-12)


def test_cells_hold_the_density_ratio():
    density = np.exp(fixed_bets("both"))
    cell, d = 400, 0.5  # columns: 0.1, -0.1, 0.25, -0.25, 0.5, ...

    def ratio(p):
        return norm.pdf(norm.ppf(p), d) / norm.pdf(norm.ppf(p))

    expected, _ = quad(ratio, cell / CELLS, (cell + 1) / CELLS)
    assert density[cell, 4] == pytest.approx(expected * CELLS, rel=1e-8)


def test_higher_bets_never_gain_from_lower_ranks():
    bets = fixed_bets("higher")
    assert (np.diff(bets, axis=0) >= -1e-12).all()
    assert (bets[0] < 0).all()


@pytest.mark.parametrize("share", [1e-6, 0.01, 0.4, 0.999])
def test_bets_on_missing_values_are_fair_and_rise(share):
    below, above = missing_bets(np.array(share))
    assert share * np.exp(below) + (1 - share) * np.exp(above) == pytest.approx(1.0, abs=1e-12)
    assert (below > 0).all()
    assert (above < 0).all()


def learned_by_hand(cells, n_cells, rows):
    """One column, row by row."""
    memory, logs = np.zeros(n_cells), []
    for cell in cells:
        logs.append(np.log(n_cells * (memory[cell] + 1) / (memory.sum() + n_cells)))
        memory *= np.exp(-1 / rows)
        memory[cell] += 1
    return logs, memory


@pytest.mark.parametrize("cut", [1, 100, 299])
def test_learned_density_follows_its_definition(cut):
    cells = np.random.default_rng(0).integers(0, 8, (300, 3))
    memory = np.zeros((3, 8))
    one, memory = learn_density(cells[:cut], memory, 50.0)
    two, memory = learn_density(cells[cut:], memory, 50.0)
    for c in range(3):
        logs, expected = learned_by_hand(cells[:, c], 8, 50.0)
        assert np.concatenate((one, two))[:, c] == pytest.approx(logs, abs=1e-9)
        assert memory[c] == pytest.approx(expected, abs=1e-9)


def test_learned_density_with_many_columns():
    """Past the short integers' range the sort is another one; the answer is the same."""
    cells = np.random.default_rng(1).integers(0, 64, (20, 600))
    logs, _ = learn_density(cells, np.zeros((600, 64)), 500.0)
    alone, _ = learn_density(cells[:, 599:], np.zeros((1, 64)), 500.0)
    assert logs[:, 599:] == pytest.approx(alone)
