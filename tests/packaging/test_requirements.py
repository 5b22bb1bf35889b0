from __future__ import annotations

import importlib.metadata
import re

import pytest

from gleis.contracts.errors import PackageError
from gleis.packaging.requirements import estimator_pins, pins


def test_pins_are_names_and_versions_only(parts):
    found = estimator_pins(parts("boosting").estimator)
    assert found == sorted(set(found))
    assert all(re.fullmatch(r"[a-z0-9-]+==[A-Za-z0-9.+!]+", pin) for pin in found)
    names = {pin.partition("==")[0] for pin in found}
    assert names >= {"gleis", "numpy", "polars", "scikit-learn", "scipy", "skops", "mlflow"}


def test_import_names_that_are_not_distribution_names():
    version = importlib.metadata.version("PyYAML")
    assert f"pyyaml=={version}" in pins(["yaml", "yaml.nodes"])


def test_a_module_without_a_distribution_is_named():
    with pytest.raises(PackageError, match="no_such_module"):
        pins(["no_such_module"])
