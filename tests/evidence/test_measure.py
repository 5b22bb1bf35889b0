from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from gleis.contracts.errors import ConfigError, DataError
from gleis.evidence.bootstrap import bootstrap_figures
from gleis.evidence.measure import measure
from gleis.evidence.metrics import metrics_of


def test_live_figures_are_the_gates_figures():
    rng = np.random.default_rng(0)
    p = rng.random(400)
    y = (rng.random(400) < p).astype(int)
    found = bootstrap_figures(y, p, metrics_of("binary"), n_replicates=20, seed=0)
    assert measure(y, p, "binary") == {name: f.value for name, f in found.figures.items()}


def test_undefined_is_nan():
    assert np.isnan(measure(np.array([1, 1]), np.array([0.2, 0.3]), "binary")["roc_auc"])


def test_bad_input_is_named():
    with pytest.raises(DataError, match="no labelled rows"):
        measure(np.array([]), np.array([]), "binary")
    with pytest.raises(ConfigError, match="Did you mean brier"):
        measure(np.array([1]), np.array([0.5]), "binary", ["brierr"])


def test_live_code_loads_nothing_heavy():
    code = (
        "import sys, gleis.evidence.measure, gleis.evidence.losses\n"
        "heavy = {'polars', 'sklearn', 'pandas', 'altair', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
