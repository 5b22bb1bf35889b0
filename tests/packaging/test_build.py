from __future__ import annotations

import math
import resource
import time

import msgspec
import pytest

from gleis.contracts.errors import PackageError, StoreError
from gleis.packaging.build import build_package
from gleis.packaging.estimator import SklearnModel, dump_estimator
from gleis.packaging.examples import Examples
from gleis.packaging.load import load_package
from gleis.packaging.manifest import FILES
from signing_keys import SIGNER, TRUST

ALL = ("boosting", "linear", "forest", "regression", "rule")


@pytest.mark.parametrize("kind", ALL)
def test_twice_is_the_same_folder_anywhere(parts, tmp_path, kind):
    first = build_package(parts(kind), tmp_path / "one", SIGNER)
    again = build_package(parts(kind), tmp_path / "one", SIGNER)
    other = build_package(parts(kind), tmp_path / "two", SIGNER)
    assert first == again
    assert first.digest == other.digest
    assert first.path.name == first.digest[:16]
    assert [path.name for path in (tmp_path / "one").iterdir()] == [first.path.name]


def test_it_holds_what_it_should_and_nothing_else(parts, tmp_path):
    estimator = build_package(parts("linear"), tmp_path, SIGNER).path
    rule = build_package(parts("rule"), tmp_path, SIGNER).path
    listed = {
        folder: {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
        for folder in (estimator, rule)
    }
    # Only a model that was made elsewhere says on what kind of table it was fitted, or how its
    # ONNX is asked.
    # Only one that was compiled has other forms of its model, and none need have rows for
    # explanations.
    forms = {"compiled.json", "compiled.npz", "model.onnx", "background.json"}
    usual = {*FILES, "manifest.json", "model.sig"} - {"model.frame.json", "model.onnx.json"} - forms
    assert listed[estimator] == usual - {"model.json"}
    assert listed[rule] == usual - {"model.skops", "model.types.json"}


@pytest.mark.parametrize("change", [{"card": "other"}, {"run": "run-2"}, {"python": "3.12.1"}])
def test_another_part_another_digest(parts, tmp_path, change):
    first = build_package(parts("rule"), tmp_path, SIGNER)
    second = build_package(msgspec.structs.replace(parts("rule"), **change), tmp_path, SIGNER)
    assert first.digest != second.digest


@pytest.mark.parametrize("damage", ["change", "delete", "add"])
def test_a_damaged_package_is_built_anew(parts, tmp_path, damage):
    built = build_package(parts("rule"), tmp_path, SIGNER)
    if damage == "change":
        (built.path / "card.md").write_text("changed")
    elif damage == "delete":
        (built.path / "manifest.json").unlink()
    else:
        (built.path / "more.txt").write_text("more")
    with pytest.raises(PackageError):
        load_package(built.path, None, TRUST)
    assert build_package(parts("rule"), tmp_path, SIGNER) == built
    assert load_package(built.path, built.digest, TRUST).card == parts("rule").card


def test_undefined_figures_are_left_out(parts, tmp_path):
    assert math.isnan(parts("rule").evidence.figures["brier"].value)
    evidence = load_package(
        build_package(parts("rule"), tmp_path, SIGNER).path, None, TRUST
    ).evidence
    assert set(evidence.figures) == {"roc_auc"}
    assert evidence.slices[0].figures == {}
    assert evidence.slices[0].rows == 9


@pytest.mark.parametrize("both", [True, False])
def test_an_estimator_or_a_rule_and_not_both(parts, tmp_path, both):
    bad = msgspec.structs.replace(
        parts("linear"), estimator=b"x" if both else None, rule=parts("rule").rule if both else None
    )
    with pytest.raises(PackageError, match="either an estimator or a rule"):
        build_package(bad, tmp_path, SIGNER)


def test_a_folder_that_cannot_be_made(parts, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        build_package(parts("rule"), tmp_path / "file" / "packages", SIGNER)


def test_a_failed_write_leaves_nothing(parts, tmp_path):
    made = parts("linear")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, before[1]))
    try:
        with pytest.raises(StoreError, match="cannot be written"):
            build_package(made, tmp_path, SIGNER)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_no_package_without_a_test(parts, tmp_path):
    nothing = Examples(features={"shop": []}, scores=[], target=[])
    with pytest.raises(PackageError, match="needs examples"):
        build_package(msgspec.structs.replace(parts("rule"), examples=nothing), tmp_path, SIGNER)


def test_build_and_load_are_quick(shops, parts, tmp_path):
    contract, rows = shops.contract("binary"), shops.rows(2_000)
    pipeline = shops.estimator("boosting").set_params(histgradientboostingclassifier__max_iter=60)
    pipeline.fit(SklearnModel.frame(rows, contract), shops.target(rows, "binary"))
    content, trusted = dump_estimator(pipeline)
    large = msgspec.structs.replace(parts("boosting"), estimator=content, trusted=trusted)
    start = time.perf_counter()
    built = build_package(large, tmp_path, SIGNER)
    middle = time.perf_counter()
    load_package(built.path, built.digest, TRUST)
    end = time.perf_counter()
    # Several times what is measured on a quiet machine, to fail on a change of order only.
    assert middle - start < 1.5
    assert end - middle < 1.0
