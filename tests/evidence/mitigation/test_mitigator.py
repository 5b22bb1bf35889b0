"""What every mitigation does as a scikit-learn estimator, and what it refuses."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from gleis.contracts.errors import ConfigError, DataError, ProjectError
from gleis.contracts.mitigation import MITIGATIONS
from gleis.evidence.mitigation.registered import MITIGATORS
from mitigated_models import lending_model, make

NAMES = sorted(MITIGATIONS)
WEIGHTED = ["reweighing", "exponentiated_gradient", "grid_search", "bounded_group_loss"]
BY_GROUP = [name for name in NAMES if MITIGATIONS[name].by_group]


@pytest.fixture(scope="module")
def fitted(lending):
    rows, paid = lending
    return {name: make(name, lending_model()).fit(rows, paid) for name in NAMES}


def test_all_that_are_named_are_there():
    assert set(MITIGATORS) == set(MITIGATIONS)
    assert len(MITIGATIONS) >= 10


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_scikit_learn_classifier(name, fitted, lending, model):
    rows, paid = lending
    found = fitted[name]
    assert is_classifier(found)
    copy = clone(found)
    assert {k: str(v) for k, v in copy.get_params().items()} == {
        k: str(v) for k, v in found.get_params().items()
    }
    scores = found.predict_proba(rows)
    assert scores.shape == (600, 2)
    assert ((scores >= 0) & (scores <= 1)).all()
    np.testing.assert_allclose(scores.sum(axis=1), 1)
    assert (found.predict(rows) == (scores[:, 1] > 0.5)).all()
    assert found.classes_.tolist() == [0, 1]
    again = copy.fit(rows, paid)
    np.testing.assert_array_equal(again.predict_proba(rows), scores)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_packaged_answers_the_same(name, fitted, lending):
    rows, _ = lending
    seen = rows if MITIGATIONS[name].by_group else rows.drop("sex")
    packaged = fitted[name].packaged
    np.testing.assert_array_equal(packaged.predict_proba(seen), fitted[name].predict_proba(rows))
    if not MITIGATIONS[name].by_group:
        assert type(packaged).__module__.startswith("sklearn.")


@pytest.mark.parametrize("name", NAMES)
def test_a_pandas_table_gives_the_same(name, fitted, lending):
    rows, _ = lending
    scores = fitted[name].predict_proba(rows.to_pandas())
    np.testing.assert_allclose(scores, fitted[name].predict_proba(rows), atol=1e-12)


def test_it_works_inside_scikit_learn(lending, model):
    rows, paid = lending
    assert cross_val_score(make("reweighing", model), rows, paid, cv=3).mean() > 0.55


@pytest.mark.parametrize("name", sorted(set(BY_GROUP) - {"reject_option"} | {"reweighing"}))
def test_without_strength_nothing_changes(name, lending, model):
    rows, paid = lending
    plain = clone(model).fit(rows.drop("sex"), paid).predict_proba(rows.drop("sex"))
    weak = make(name, model, strength=0.0).fit(rows, paid)
    np.testing.assert_allclose(weak.predict_proba(rows), plain, atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_one_group_only_is_refused(name, lending, model):
    rows, paid = lending
    with pytest.raises(DataError, match="one group only"):
        make(name, model).fit(rows.with_columns(sex=pl.lit("f")), paid)


def test_a_column_of_nulls_is_one_group(lending, model):
    rows, paid = lending
    with pytest.raises(DataError, match=r"one group only.*\(missing\)"):
        make("reweighing", model).fit(rows.with_columns(sex=pl.lit(None, pl.String)), paid)


@pytest.mark.parametrize("name", [n for n in NAMES if MITIGATIONS[n].when == "after"])
def test_a_group_of_one_class_is_named(name, lending, model):
    rows, paid = lending
    alone = rows.with_columns(
        sex=pl.when(pl.int_range(pl.len()) == 5).then(pl.lit("x")).otherwise("sex")
    )
    with pytest.raises(DataError, match=r"1 training row of one class.*'x'"):
        make(name, model).fit(alone, paid)


@pytest.mark.parametrize("name", ["exponentiated_gradient", "grid_search"])
def test_equal_rates_need_both_classes_in_each_group(name, lending, model):
    rows, paid = lending
    with pytest.raises(DataError, match="rows of both classes in each group"):
        make(name, model).fit(rows, np.where(rows["sex"].to_numpy() == "f", 0, paid))


def test_ten_thousand_groups_are_too_many(lending, model):
    rows, paid = lending
    with pytest.raises(DataError, match=r"600 groups, more than 100"):
        make("reweighing", model).fit(rows.with_columns(sex=pl.int_range(pl.len())), paid)


def test_no_protected_column_is_a_clear_error(lending, model):
    rows, paid = lending
    with pytest.raises(ConfigError, match="no protected column is named"):
        make("reweighing", model, protected=[]).fit(rows, paid)


@pytest.mark.parametrize("name", NAMES)
def test_a_strength_out_of_range_is_refused(name, lending, model):
    rows, paid = lending
    with pytest.raises(ConfigError, match=r"not between 0 and 1: 1.5"):
        make(name, model, strength=1.5).fit(rows, paid)


@pytest.mark.parametrize("name", WEIGHTED)
def test_an_estimator_without_weights_is_refused(name, lending):
    rows, paid = lending
    with pytest.raises(ProjectError, match="takes none: 'KNeighborsClassifier'"):
        make(name, KNeighborsClassifier()).fit(rows, paid)


@pytest.mark.parametrize("name", BY_GROUP)
def test_a_protected_column_missing_at_prediction_is_named(name, fitted, lending):
    rows, _ = lending
    with pytest.raises(DataError, match=r"protected column is missing.*'sex'"):
        fitted[name].predict_proba(rows.drop("sex"))


@pytest.mark.parametrize("name", BY_GROUP)
def test_a_group_that_training_did_not_see_gets_the_models_own_score(name, fitted, lending):
    rows, _ = lending
    strangers = rows.with_columns(sex=pl.lit("x"))
    own = fitted[name].estimator_.predict_proba(strangers.drop("sex"))
    scores = fitted[name].predict_proba(strangers)
    assert ((scores[:, 1] > 0.5) == (own[:, 1] > 0.5)).all()


@pytest.mark.parametrize("name", ["disparate_impact_remover", "correlation_remover"])
def test_regressors_and_many_classes_are_changed_before(name, lending):
    rows, _ = lending
    numbers = rows.select("sex", "income", "debt")
    found = make(name, LinearRegression()).fit(numbers, rows["debt"].to_numpy() * 2)
    assert is_regressor(found)
    assert found.predict(numbers).shape == (600,)
    three = make(name, LogisticRegression()).fit(numbers, np.arange(600) % 3)
    assert three.predict_proba(numbers).shape == (600, 3)
