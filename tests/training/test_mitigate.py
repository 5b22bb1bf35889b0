from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import polars as pl
import pytest

from gleis.config.settings import Settings
from gleis.contracts.dataset import DatasetVersion, Provenance
from gleis.contracts.errors import ConfigError, DataError
from gleis.packaging.estimator import SklearnModel
from gleis.training.keys import fit_key
from gleis.training.mitigate import mitigate, refuse_adopted, wrap
from gleis.training.prepare import prepare
from materials import make_material
from mitigated_models import lending_model, lending_rows

ROWS, PAID = lending_rows()
TABLE = ROWS.with_columns(paid=pl.Series(PAID), region=pl.Series(["n", "s"] * 300))


def settings(**fairness):
    return msgspec.convert(
        {
            "project": {"name": "p", "module": "p", "task": "binary", "target": "paid"},
            "features": {"exclude": ["sex", "region"]},
            "fairness": {"protected": ["sex", "region"], "mitigate_for": ["sex"], **fairness},
        },
        Settings,
    )


def made(chosen, table=TABLE):
    prepared = prepare(table, chosen)
    train = prepared.split.train
    features = SklearnModel.frame(prepared.features, prepared.contract)[train]
    found = mitigate(
        lending_model(),
        chosen,
        prepared.contract,
        prepared.part(train),
        features,
        prepared.target[train],
    )
    return prepared, found


def test_before_the_fit_a_column_outside_the_model_is_enough():
    prepared, found = made(settings(mitigate="reweighing"))
    assert prepared.contract.names == ("income", "debt", "job")
    assert type(found.estimator).__name__ == "Pipeline"
    assert found.notes == ("Mitigated by reweighing for sex, strength 1.",)


def test_after_the_fit_the_column_is_an_input_that_the_model_does_not_see():
    chosen = settings(mitigate="threshold_optimizer", constraint="statistical_parity")
    prepared, found = made(chosen)
    assert prepared.contract.names == ("sex", "income", "debt", "job")
    assert found.estimator.hidden == ["sex"]
    assert found.estimator.constraint == "statistical_parity"
    assert list(found.estimator.estimator_.feature_names_in_) == ["income", "debt", "job"]
    assert any("by group: sex must come with every request" in note for note in found.notes)
    assert any("unlawful" in note for note in found.notes)


def test_a_protected_column_that_is_a_feature_stays_one():
    chosen = msgspec.structs.replace(
        settings(mitigate="threshold_optimizer"),
        features=msgspec.convert({"exclude": ["region"]}, type(settings().features)),
    )
    prepared = prepare(TABLE, chosen)
    assert prepared.contract.names == ("sex", "income", "debt", "job")
    assert wrap(lending_model(), chosen, prepared.contract).hidden == []


def test_a_model_of_its_own_says_so():
    _, found = made(settings(mitigate="prejudice_remover"))
    assert any("the estimator of build_model was not used" in note for note in found.notes)


def test_the_favourable_class_is_handed_on():
    chosen = settings(mitigate="reject_option", favourable="0")
    _, found = made(chosen)
    assert found.estimator.favourable == 0
    with pytest.raises(ConfigError, match="favourable is none of the classes: 'yes'"):
        made(settings(mitigate="reject_option", favourable="yes"))


def test_bands_make_the_groups():
    chosen = settings(
        mitigate="reject_option",
        protected=["debt"],
        mitigate_for=["debt"],
        bands={"debt": [20.0]},
    )
    _, found = made(chosen)
    assert found.estimator.groups_.tolist() == ["20 and over", "under 20"]


def test_several_columns_make_intersections():
    chosen = settings(mitigate="reject_option", mitigate_for=["sex", "region"])
    prepared, found = made(chosen)
    assert found.estimator.groups_.tolist() == ["f, n", "f, s", "m, n", "m, s"]
    assert set(prepared.contract.names) >= {"sex", "region"}
    assert "region" not in found.estimator.estimator_.feature_names_in_


def test_a_column_that_is_not_there_is_named():
    for name in ("reweighing", "reject_option"):
        with pytest.raises(DataError, match=r"fairness\.protected names.*'race'.*Columns:"):
            made(settings(mitigate=name, protected=["race"], mitigate_for=["race"]))


def test_the_target_decides_nothing():
    with pytest.raises(DataError, match=r"cannot decide by the column of project\.target"):
        made(settings(mitigate="reject_option", protected=["paid"], mitigate_for=["paid"]))


def test_a_model_fitted_elsewhere_is_not_mitigated():
    with pytest.raises(ConfigError, match="fitted elsewhere cannot be mitigated"):
        refuse_adopted(settings(mitigate="reweighing"))
    refuse_adopted(settings())


def test_a_fit_depends_on_its_mitigation_and_not_on_how_fairness_is_measured(tmp_path):
    (tmp_path / "p.py").write_text("def load(since, until): ...\ndef build_model(params): ...\n")
    now = datetime(2024, 1, 1, tzinfo=UTC)
    source = Provenance(
        source="p:load", since=None, until=None, loaded_at=now, loaded_by="a", code="c"
    )
    dataset = DatasetVersion(
        name="p",
        version=1,
        location="p",
        table_version=0,
        content="c",
        rows=1,
        labelled=1,
        first=None,
        last=None,
        columns={},
        provenance=source,
        parent=None,
    )

    def key(**fairness):
        return fit_key(tmp_path, settings(**fairness), dataset)

    plain, weighed = key(), key(mitigate="reweighing")
    assert key(min_group=5) == plain != weighed
    assert key(mitigate="reweighing", min_group=5) == weighed
    different = [
        key(mitigate="reject_option"),
        key(mitigate="reweighing", strength=0.5),
        key(mitigate="reweighing", mitigate_for=["region"]),
        key(mitigate="reweighing", bands={"sex": [1.0]}),
    ]
    assert len({plain, weighed, *different}) == 6


def test_simpler_models_do_not_see_what_only_the_mitigation_sees():
    material = make_material(fairness={"protected": ["region"], "mitigate": "reject_option"})
    assert "region" in material.contract.names
    assert material.seen.names == ("price", "pages", "channel")
