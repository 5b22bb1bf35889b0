from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from gleis.config.settings import FairnessSettings
from gleis.contracts.contract import Contract
from gleis.contracts.errors import StoreError
from gleis.evidence.fairness.find import find_fairness
from gleis.monitoring.labels.maturity import DAY, HOUR, Maturity
from gleis.monitoring.labels.people import UNKNOWN, People
from monitoring.matches import START

CONTRACT = Contract(task="binary", features=(), target="paid", classes=("0", "1"))
SETTINGS = FairnessSettings(protected=("sex", "age"), bands={"age": (30,)}, min_group=20)
MATURITY = Maturity(matures=6 * HOUR, window=7 * DAY)
NOW = START + timedelta(days=1)


def make(state=None, settings=SETTINGS, contract=CONTRACT):
    return People(MATURITY, contract, settings, state)


def applicants(n=900, seed=0):
    rng = np.random.default_rng(seed)
    rows = pl.DataFrame(
        {"sex": rng.choice(["f", "m"], n).tolist(), "age": rng.integers(18, 70, n).tolist()}
    )
    scores = np.clip(rng.beta(2, 2, n) + 0.1 * (rows["sex"] == "m").to_numpy(), 0, 1)
    y = (rng.random(n) < scores).astype(float)
    return rows, scores, y, [f"r{i}" for i in range(n)]


def stretches(n, at=START):
    return np.repeat(MATURITY.number(np.array([at.timestamp()])), n)


def shown(people, rows, scores, y, ids, labelled=None):
    n = len(ids)
    groups = people.groups_of(rows, np.ones(n, dtype=bool))
    people.see_answers(groups, scores, stretches(n))
    chosen = np.flatnonzero(np.ones(n, bool) if labelled is None else labelled)
    people.see_labels(
        [ids[i] for i in chosen], groups[chosen], y[chosen], scores[chosen], stretches(len(chosen))
    )
    return people.find(NOW)


def test_figures_are_those_of_the_evidence():
    """The same function on the same rows: values to the last digit, intervals but for resamples."""
    rows, scores, y, ids = applicants()
    found = shown(make(), rows, scores, y, ids)
    oracle = find_fairness(y.astype(int), scores, rows, "binary", SETTINGS, classes=("0", "1"))
    whole = found.figures()
    for ours, theirs in zip(whole.attributes, oracle.attributes, strict=True):
        assert ours.attributes == theirs.attributes
        assert {g.values: g.rows for g in ours.groups} == {g.values: g.rows for g in theirs.groups}
        for name, figure in theirs.figures.items():
            assert ours.figures[name].value == pytest.approx(figure.value, abs=1e-12), name
    assert (found.rows, found.unknown, found.labelled_rows) == (900, 0, 900)
    assert found.notes == ()


def test_selection_rates_are_of_all_answers_whoever_has_a_label():
    rows, scores, y, ids = applicants()
    men = (rows["sex"] == "m").to_numpy()
    found = shown(make(), rows, scores, y, ids, labelled=men | (np.arange(900) % 5 == 0))
    sex = found.figures().attributes[0]
    exact = [(scores[men == one] > 0.5).mean() for one in (False, True)]
    ratio = sex.figures["statistical_parity_ratio"].value
    assert ratio == pytest.approx(min(exact) / max(exact))
    assert found.labelled_rows < 900
    (note,) = found.notes
    assert note.startswith("Labels came for ")
    assert "100% of those of m*" in note


def test_without_labels_selection_rates_are_known_and_nothing_else():
    rows, scores, y, ids = applicants()
    found = shown(make(), rows, scores, y, ids, labelled=np.zeros(900, bool))
    assert found.labelled is None
    names = set(found.figures().attributes[0].figures)
    assert "statistical_parity_ratio" in names
    assert not any("odds" in name or "error" in name for name in names)
    assert make().find(NOW).figures() is None


def test_rows_of_unknown_people_are_counted_and_left_out():
    people, (rows, scores, y, ids) = make(), applicants(100)
    known = np.arange(100) < 60
    groups = people.groups_of(rows, known)
    assert (groups[~known] == UNKNOWN).all()
    people.see_answers(groups, scores, stretches(100))
    people.see_labels(ids, groups, y, scores, stretches(100))
    found = people.find(NOW)
    assert (found.rows, found.unknown, found.labelled_rows) == (60, 40, 60)
    assert "The group of 40 of 100 answers is unknown" in found.notes[0]


def test_a_group_of_one_is_unknown_and_one_class_says_little():
    rows, scores, _, ids = applicants(80)
    rows = rows.with_columns(pl.Series("sex", ["x", *["m"] * 79]))
    found = shown(make(), rows, scores, np.ones(80), ids)
    sex = found.labelled.attributes[0]
    assert sex.unknown == ("x",)
    assert sex.figures == {}
    assert not sex.groups[1].figures


def test_junk_in_a_protected_column_stops_nothing():
    people = make(settings=FairnessSettings(protected=("sex",)))
    junk = pl.DataFrame({"sex": [f"junk {i}" for i in range(400)]})
    groups = people.groups_of(junk, np.ones(400, bool))
    assert (groups == UNKNOWN).all()
    people.see_answers(groups, np.full(400, 0.6), stretches(400))
    assert "Some answers belong to no group" in people.find(NOW).notes[0]
    for i in range(40):
        few = pl.DataFrame({"sex": [f"junk {i} {k}" for k in range(5)]})
        people.groups_of(few, np.ones(5, bool))
    assert len(people._names) <= 100


def test_missing_values_are_a_group():
    people = make(settings=FairnessSettings(protected=("sex",)))
    groups = people.groups_of(pl.DataFrame({"sex": [None, None]}), np.ones(2, bool))
    again = people.groups_of(pl.DataFrame({"sex": ["f", None]}), np.ones(2, bool))
    assert groups[0] == groups[1] == again[1] != again[0]


@pytest.mark.parametrize("task", ["regression", "multiclass"])
def test_other_tasks(task):
    rng = np.random.default_rng(1)
    rows, _, _, ids = applicants(400)
    if task == "regression":
        contract = Contract(task="regression", features=(), target="t")
        scores, y = rng.normal(size=400), rng.normal(size=400)
        name = "mae_difference"
    else:
        contract = Contract(task="multiclass", features=(), target="t", classes=("a", "b", "c"))
        scores, y = rng.dirichlet([1, 1, 1], 400), rng.integers(0, 3, 400).astype(float)
        name = "worst_class_statistical_parity_difference"
    found = shown(make(contract=contract), rows, scores, y, ids)
    assert name in found.figures().attributes[0].figures


def test_state_goes_on_exactly_and_stays_small():
    rows, scores, y, ids = applicants()
    people = make()
    first = shown(people, rows, scores, y, ids)
    again = make(people.to_bytes())
    assert again.find(NOW) == first
    more = applicants(300, seed=2)
    ids = [f"later {i}" for i in range(300)]
    assert shown(again, *more[:3], ids) == shown(people, *more[:3], ids)  # type: ignore[call-arg]
    for day in range(400):
        at = START + timedelta(days=day)
        people.see_answers(np.zeros(2, int), np.array([0.2, 0.8]), stretches(2, at))
    assert len(people.to_bytes()) < 100_000
    with pytest.raises(StoreError, match="damaged"):
        make(b"no")


def test_a_second_label_counts():
    rows, scores, y, ids = applicants(200)
    people = make()
    shown(people, rows, scores, y, ids)
    people.mend({ids[i]: 1.0 - y[i] for i in range(200)})
    turned = find_fairness(1 - y.astype(int), scores, rows, "binary", SETTINGS)
    ours = people.find(NOW).labelled.attributes[0].figures["error_rate_difference"]
    assert ours.value == pytest.approx(turned.attributes[0].figures["error_rate_difference"].value)
