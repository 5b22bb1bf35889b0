"""Ray Data maps ``gleis.Scorer`` over a table; in a network of its own, for Ray listens widely."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from small_packages import BINARY, build, sample_rows

import gleis
from signing_keys import SIGNER, TRUST

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("unshare") is None, reason="needs a network of its own"),
]
pytest.importorskip("ray")

SCRIPT = """
import sys
import ray
import gleis
package, source, target, kind = sys.argv[1:]
ray.init(num_cpus=4, include_dashboard=False, _node_ip_address="127.0.0.1")
data = ray.data.read_parquet(source)
scored = data.map_batches(
    gleis.Scorer,
    fn_constructor_args=[package],
    batch_format=kind,
    batch_size=128,
    compute=ray.data.ActorPoolStrategy(size=2),
)
scored.write_parquet(target)
ray.shutdown()
"""


@pytest.mark.parametrize("kind", ["numpy", "pandas", "pyarrow"])
def test_every_kind_of_batch_comes_back_scored(tmp_path, kind):
    state = tmp_path / "state"
    (state / "keys" / "trusted").mkdir(parents=True)
    (state / "keys" / "trusted" / "tests.pub").write_bytes(SIGNER.public.pem)
    built = build(state / "packages", BINARY, run="ray")
    columns, _ = sample_rows(BINARY, 1000, seed=2)
    frame = pl.DataFrame({"row": list(range(1000)), **columns})
    frame.write_parquet(tmp_path / "in.parquet")
    script = tmp_path / "map_batches.py"
    script.write_text(SCRIPT)
    command = f"ip link set lo up && exec {sys.executable} {script} "
    paths = (built.path, tmp_path / "in.parquet", tmp_path / "out", kind)
    alone = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    said = subprocess.run(
        [*alone, "sh", "-c", command + " ".join(map(str, paths))],
        capture_output=True,
        text=True,
        timeout=280,
        env=os.environ | {"RAY_raylet_start_wait_time_s": "150"},
        check=False,
    )
    assert said.returncode == 0, said.stderr[-3000:]
    out = pl.read_parquet(tmp_path / "out" / "*.parquet").sort("row")
    scorer = gleis.load(built.path, trust=TRUST)
    np.testing.assert_array_equal(out["score"], scorer.predict(frame))
    assert out["prediction"].to_list() == scorer.decide(scorer.predict(frame)).tolist()
    # A batch of numpy arrays knows no null but NaN: what is carried along is Ray's to keep.
    assert out.select(frame.columns).fill_nan(None).equals(frame)
