from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mitigated_models import lending_model, lending_rows


@pytest.fixture(scope="session")
def lending():
    return lending_rows()


@pytest.fixture
def model():
    return lending_model()


@pytest.fixture(scope="session")
def golden():
    """What AIF360 made of small data; see make_aif360_golden.py."""
    found = json.loads(Path(__file__).with_name("aif360_golden.json").read_text())
    return {name: np.asarray(v) if name.islower() else v for name, v in found.items()}
