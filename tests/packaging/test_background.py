from __future__ import annotations

import msgspec
import pytest

from gleis.contracts.errors import PackageError
from gleis.packaging.background import Background
from gleis.packaging.build import build_package
from gleis.packaging.load import load_package
from signing_keys import SIGNER, TRUST


def test_rows_for_explanations_come_back(parts, tmp_path):
    made = parts("linear")
    rows = {name: values[:3] for name, values in made.examples.features.items()}
    background = Background(features=rows, immutable=("shop",))
    built = build_package(msgspec.structs.replace(made, background=background), tmp_path, SIGNER)
    assert load_package(built.path, built.digest, TRUST).background == background


def test_a_package_without_them_takes_its_examples(parts, tmp_path):
    made = parts("linear")
    built = build_package(made, tmp_path, SIGNER)
    assert not (built.path / "background.json").exists()
    package = load_package(built.path, built.digest, TRUST)
    assert package.background == Background(features=made.examples.features)


def test_rows_that_cannot_be_read_are_refused(parts, tmp_path, reseal):
    made = parts("linear")
    background = Background(features=made.examples.features)
    built = build_package(msgspec.structs.replace(made, background=background), tmp_path, SIGNER)
    (built.path / "background.json").write_text('{"features": 3}')
    reseal(built.path)
    with pytest.raises(PackageError, match=r"background\.json cannot be read"):
        load_package(built.path, None, TRUST)
