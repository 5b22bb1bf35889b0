from __future__ import annotations

import msgspec
import pytest

from gleis.packaging.build import build_package
from gleis.packaging.examples import promise
from gleis.packaging.rule import ColumnRule, constant_rule
from gleis.packaging.verify import verify
from signing_keys import SIGNER, TRUST

BEFORE = ("signature", "digest", "files", "types")


def checks(verified):
    return {check.name: check for check in verified.checks}


@pytest.mark.parametrize("kind", ["boosting", "linear", "forest", "regression", "rule"])
def test_an_intact_package_passes(parts, tmp_path, kind):
    built = build_package(parts(kind), tmp_path, SIGNER)
    verified = verify(built.path, built.digest, TRUST)
    loss = "squared_error" if kind == "regression" else "log_loss"
    assert list(checks(verified)) == [*BEFORE, "scores", loss, "fallback"]
    assert verified.ok, verified


def test_a_package_that_does_not_load(parts, tmp_path):
    built = build_package(parts("rule"), tmp_path, SIGNER)
    (built.path / "card.md").write_text("changed")
    verified = verify(built.path, None, TRUST)
    assert not verified.ok
    assert "card.md was changed" in checks(verified)["signature"].text
    assert "card.md was changed" in checks(verified)["files"].text
    assert "types" not in checks(verified), "nothing of it is constructed"
    assert not verify(tmp_path / "nothing", None, TRUST).ok


def test_a_model_that_answers_otherwise(parts, tmp_path):
    made = parts("rule")
    other = msgspec.structs.replace(made, rule=constant_rule(0.4))
    verified = verify(build_package(other, tmp_path, SIGNER).path, None, TRUST)
    assert not verified.ok
    assert not checks(verified)["scores"].passed
    assert checks(verified)["fallback"].passed


@pytest.mark.parametrize(("shift", "passes"), [(1e-10, True), (1e-8, False)])
def test_the_tolerance_is_1e_9(parts, tmp_path, shift, passes):
    made = parts("rule")
    scores = [made.examples.scores[0] + shift, *made.examples.scores[1:]]
    examples = msgspec.structs.replace(made.examples, scores=scores)
    built = build_package(msgspec.structs.replace(made, examples=examples), tmp_path, SIGNER)
    assert checks(verify(built.path, None, TRUST))["scores"].passed is passes


def test_a_loss_above_the_promise(parts, tmp_path, reseal):
    folder = build_package(parts("rule"), tmp_path, SIGNER).path
    better = msgspec.structs.replace(promise(parts("rule").examples, "binary"), value=0.1)
    (folder / "tests" / "metrics.json").write_bytes(msgspec.json.encode([better]))
    reseal(folder)
    verified = verify(folder, None, TRUST)
    assert checks(verified)["scores"].passed
    assert not checks(verified)["log_loss"].passed
    assert "promised 0.1" in checks(verified)["log_loss"].text


def test_a_fallback_that_fails(parts, tmp_path):
    broken = msgspec.structs.replace(parts("rule"), baseline=ColumnRule(column="gone", default=0))
    verified = verify(build_package(broken, tmp_path, SIGNER).path, None, TRUST)
    assert "gone" in checks(verified)["fallback"].text
    assert not checks(verified)["fallback"].passed


def test_a_model_that_fails_on_its_examples(parts, tmp_path):
    made = parts("linear")
    features = made.examples.features | {"floors": ["text"] * 60}
    examples = msgspec.structs.replace(made.examples, features=features)
    verified = verify(
        build_package(msgspec.structs.replace(made, examples=examples), tmp_path, SIGNER).path,
        None,
        TRUST,
    )
    assert "floors is not of kind integer" in checks(verified)["scores"].text
    assert not verified.ok


def test_scores_of_another_shape(parts, tmp_path, reseal):
    folder = build_package(parts("rule"), tmp_path, SIGNER).path
    wide = msgspec.structs.replace(parts("rule").examples, scores=[[0.5, 0.5]] * 60)
    (folder / "tests" / "rows.json").write_bytes(msgspec.json.encode(wide))
    reseal(folder)
    verified = verify(folder, None, TRUST)
    assert "shape (60,), and (60, 2) is expected" in checks(verified)["scores"].text
    assert not verified.ok
