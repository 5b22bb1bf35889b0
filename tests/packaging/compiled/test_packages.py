"""A package with a compiled form: what it answers with, what it loads, what it refuses."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import numpy as np
import pytest

from gleis.contracts.errors import PackageError
from gleis.packaging.build import build_package
from gleis.packaging.compiled.make import compile_model
from gleis.packaging.compiled.model import CompiledModel
from gleis.packaging.estimator import SklearnModel, load_estimator
from gleis.packaging.keys import Trust
from gleis.packaging.load import load_fitted, load_package
from gleis.packaging.verify import verify
from signing_keys import SIGNER, TRUST


def with_form(made):
    fitted = SklearnModel(load_estimator(made.estimator, made.trusted), made.contract)
    compiled = compile_model(fitted, made.reference, made.examples)
    assert compiled.parity.accepted, compiled.parity.reason
    evidence = msgspec.structs.replace(made.evidence, compiled=compiled.parity)
    return msgspec.structs.replace(made, forms=compiled.files, evidence=evidence)


@pytest.fixture(params=["boosting", "linear", "forest", "regression"])
def package(request, parts, tmp_path):
    built = build_package(with_form(parts(request.param)), tmp_path, SIGNER)
    return load_package(built.path, built.digest, TRUST)


def test_the_compiled_form_answers_and_the_estimator_can_be_had(package, rows):
    assert isinstance(package.model, CompiledModel)
    assert package.evidence.compiled.accepted
    columns = {name: rows[name].to_list() for name in rows.columns}
    fitted = load_fitted(package)
    np.testing.assert_allclose(
        package.model.predict(columns), fitted.predict(columns), rtol=0, atol=1e-12
    )


def test_numbers_that_are_a_matrix_already_score_the_same(package, rows):
    columns = {name: rows[name].to_list() for name in rows.columns}
    kinds = {c.name: c.kind for c in package.contract.features if c.kind != "category"}
    numbers = np.array([columns[name] for name in kinds], dtype=np.float64)
    found = package.model.beside(kinds)(columns, numbers)
    np.testing.assert_array_equal(found, package.model.predict(columns))
    assert package.model.beside({}) is None


def test_verify_looks_at_both_forms(package):
    verified = verify(package.path, package.digest, TRUST)
    assert verified.ok, verified
    assert [check.name for check in verified.checks][-1] == "fitted estimator"
    assert "60 of 60" in verified.checks[-1].text


def test_verify_finds_an_estimator_that_is_not_the_one_compiled(parts, tmp_path):
    made = with_form(parts("linear"))
    other = parts("boosting")
    mixed = msgspec.structs.replace(made, estimator=other.estimator, trusted=other.trusted)
    built = build_package(mixed, tmp_path, SIGNER)
    found = {check.name: check for check in verify(built.path, built.digest, TRUST).checks}
    assert found["scores"].passed
    assert not found["fitted estimator"].passed


@pytest.mark.parametrize("name", ["compiled.json", "compiled.npz"])
def test_a_compiled_form_that_the_manifest_does_not_name_is_refused(parts, tmp_path, name):
    plain = build_package(parts("linear"), tmp_path / "plain", SIGNER)
    form = build_package(with_form(parts("linear")), tmp_path / "form", SIGNER)
    (plain.path / name).write_bytes((form.path / name).read_bytes())
    with pytest.raises(PackageError, match=f"{name} was added after the package was signed"):
        load_package(plain.path, plain.digest, TRUST)
    with pytest.raises(PackageError, match=f"{name} is not in the manifest"):
        load_package(plain.path, plain.digest, Trust(unsigned=True))


@pytest.mark.parametrize("name", ["compiled.json", "compiled.npz"])
def test_a_compiled_form_of_another_hash_or_half_of_one_is_refused(parts, tmp_path, name, reseal):
    built = build_package(with_form(parts("linear")), tmp_path, SIGNER)
    content = (built.path / name).read_bytes()
    (built.path / name).write_bytes(content.replace(b"linear", b"Linear") + b" ")
    with pytest.raises(PackageError, match=f"{name} was changed"):
        load_package(built.path, built.digest, TRUST)
    (built.path / name).unlink()
    with pytest.raises(PackageError, match=f"{name} is missing"):
        load_package(built.path, built.digest, TRUST)
    reseal(built.path)
    with pytest.raises(PackageError, match=f"no {name}"):
        load_package(built.path, None, TRUST)


def test_a_compiled_package_is_served_without_the_heavy_libraries(parts, tmp_path):
    made = with_form(parts("boosting"))
    built = build_package(made, tmp_path, SIGNER)
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from gleis.packaging.load import load_package\n"
        "from gleis.packaging.keys import Trust\n"
        "from gleis.packaging.verify import self_test\n"
        "trust = Trust(unsigned=True)\n"
        f"package = load_package(Path({str(built.path)!r}), {built.digest!r}, trust)\n"
        "assert self_test(package).ok\n"
        "row = {n: v[:1] for n, v in package.examples.features.items()}\n"
        "print(repr(float(package.model.predict(row)[0])))\n"
        "heavy = {'mlflow', 'pandas', 'sklearn', 'skops', 'polars', 'scipy'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert float(done.stdout) == pytest.approx(made.examples.scores[0], abs=1e-13)
