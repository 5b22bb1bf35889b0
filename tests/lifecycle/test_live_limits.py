import numpy as np
import polars as pl
import pytest

from gleis.config.settings import FairnessSettings
from gleis.contracts.errors import ConfigError
from gleis.evidence.fairness.find import find_fairness
from gleis.lifecycle.live_limits import fairness_gates, find_broken
from gleis.monitoring.looks import spend

SETTINGS = FairnessSettings(protected=("g",), min_group=10)
PARITY = {"fairness.g.statistical_parity_ratio": ">= 0.8"}


def seen(rates, rows, seed):
    """Decisions of groups that are selected at these rates."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, len(rates), rows)
    selected = rng.random(rows) < np.array(rates)[groups]
    people = pl.DataFrame({"g": [f"g{i}" for i in groups]})
    scores = np.where(selected, 0.8, 0.2)
    return find_fairness(
        selected.astype(int), scores, people, "binary", SETTINGS, n_replicates=60, seed=seed
    )


def alarmed(gates, rates, seed, looks=6):
    limits = fairness_gates(gates)
    return any(
        list(find_broken(limits, seen(rates, 300 * look, 100 * seed + look), spend(0.05, look)))
        for look in range(1, looks + 1)
    )


@pytest.mark.parametrize(
    ("gates", "rates"),
    [
        (PARITY, (0.5, 0.4)),
        ({"fairness.g.statistical_parity_difference": "<= 0.02"}, (0.5,) * 4),
    ],
    ids=["at the border", "equal groups, a largest difference"],
)
def test_limits_that_hold_are_told_at_most_at_the_rate(gates, rates):
    assert sum(alarmed(gates, rates, seed) for seed in range(20)) <= 3


def test_a_limit_that_is_surely_broken_says_where():
    (broken,) = find_broken(fairness_gates(PARITY), seen((0.6, 0.3, 0.55), 2000, 0), 1e-4)
    assert broken.chance <= 1e-4
    assert broken.words.startswith("fairness.g.statistical_parity_ratio is 0.")
    assert "on 2,000 answers; the gate asks >= 0.8: selection rate 0." in broken.words
    assert broken.words.endswith(" for g0")
    assert list(find_broken(fairness_gates(PARITY), seen((0.6, 0.3), 40, 0), 1e-4)) == []


def test_rates_of_one_group_and_figures_that_are_no_pair():
    found = seen((0.6, 0.2), 3000, 1)
    gates = fairness_gates(
        {
            "fairness.g.g1.selection_rate": ">= 0.4",
            "fairness.g.differential_fairness": "<= 0.5",
            "fairness.g.g0.selection_rate": ">= 0.4",
            "fairness.g.nothing": "<= 1",
            "roc_auc": ">= 0.6",
        }
    )
    names = {one.gate.name for one in find_broken(gates, found, 1e-3)}
    assert names == {"fairness.g.g1.selection_rate", "fairness.g.differential_fairness"}


def test_rules_are_the_gates_own():
    with pytest.raises(ConfigError, match="is not a rule"):
        fairness_gates({"fairness.g.x": "about 1"})
    assert fairness_gates({"fairness.g.x": "better than champion"}) == []
