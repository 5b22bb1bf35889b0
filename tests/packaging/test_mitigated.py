"""Mitigated models as packages hold them: no pickle, no Fairlearn, exact types."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from gleis.contracts.errors import PackageError
from gleis.contracts.mitigation import MITIGATIONS
from gleis.packaging.estimator import dump_estimator, load_estimator
from gleis.packaging.requirements import require
from gleis.packaging.trust import check_trusted
from gleis.training.environment import lock
from mitigated_models import lending_model, lending_rows, make

NAMES = sorted(MITIGATIONS)

READ = """
import sys
import numpy as np, polars as pl
from gleis.packaging.estimator import load_estimator
import gleis.evidence.mitigation.registered
folder, *trusted = sys.argv[1:]
estimator = load_estimator(open(folder + "/model", "rb").read(), trusted)
rows = pl.read_parquet(folder + "/rows")
np.save(folder + "/scores.npy", estimator.predict_proba(rows))
loaded = [name for name in sys.modules if name.split(".")[0] == "fairlearn"
          or name.startswith("gleis.training")]
assert not loaded, loaded
"""


@pytest.mark.parametrize("name", NAMES)
def test_it_is_written_without_pickle_and_answers_the_same(name):
    rows, paid = lending_rows()
    packaged = make(name, lending_model()).fit(rows, paid).packaged
    content, trusted = dump_estimator(packaged)
    again = load_estimator(content, trusted)
    seen = rows if MITIGATIONS[name].by_group else rows.drop("sex")
    np.testing.assert_array_equal(again.predict_proba(seen), packaged.predict_proba(seen))
    needed = require(content, lock())
    assert "fairlearn" not in [one.name for one in needed.libraries]
    assert "mlflow" not in needed.serving


def test_a_process_that_serves_needs_no_fairlearn(tmp_path):
    rows, paid = lending_rows()
    packaged = make("threshold_optimizer", lending_model()).fit(rows, paid).packaged
    content, trusted = dump_estimator(packaged)
    (tmp_path / "model").write_bytes(content)
    rows.write_parquet(tmp_path / "rows")
    subprocess.run([sys.executable, "-c", READ, str(tmp_path), *trusted], check=True)
    scores = np.load(tmp_path / "scores.npy")
    np.testing.assert_array_equal(scores, packaged.predict_proba(rows))


def test_only_the_mitigations_that_answer_themselves_are_trusted():
    check_trusted(["gleis.evidence.mitigation.reject_option.RejectOption"])
    for name in (
        "gleis.evidence.mitigation.tables.series",
        "gleis.evidence.mitigation.reductions.fairlearn",
        "gleis.evidence.mitigation.reductions.Learner",
        "gleis.evidence.mitigation.reweighing.Reweighing",
    ):
        with pytest.raises(PackageError, match="may not be in a package"):
            check_trusted([name])
