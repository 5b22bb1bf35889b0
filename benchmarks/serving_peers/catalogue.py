"""Every server of ``serving.py``: what it needs, how it is started, how it is asked.

A peer with several variants is tried in each for a moment; its best one is measured.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from measure.environments import install
from measure.server_process import ServerProcess, free_port
from serving_peers import formats
from serving_peers.mlserver_settings import write_settings

HERE = Path(__file__).parent
SAME = (
    f"scikit-learn=={version('scikit-learn')}",
    f"numpy=={version('numpy')}",
    f"joblib=={version('joblib')}",
    "pandas==3.1.1",
)
"""What decides the scores is what we have ourselves."""
REQUIREMENTS = {
    "fastapi": ("fastapi==0.165.0", "uvicorn[standard]==0.54.0", *SAME),
    "litserve": ("litserve==0.2.19", *SAME),
    "bentoml": ("bentoml==1.4.40", *SAME),
    "mlserver": ("mlserver==1.7.1", "mlserver-sklearn==1.7.1", *SAME),
    "mlflow": ("mlflow==3.17.2", *SAME),
}
Variant = dict[str, Any]


class Files(NamedTuple):
    """What servers load, in a folder of this run."""

    project: Path
    """A trained gleis project."""
    model: Path
    """Its fitted pipeline as joblib."""
    rows: Path
    """Rows of flights as JSON, one a line."""


class Contender(NamedTuple):
    """A server to measure."""

    name: str
    peer: str
    """Its environment, a key of ``REQUIREMENTS``; empty for ours."""
    start: Callable[[Path, Path, Files, Variant], ServerProcess]
    """Called with the environment, an empty folder, the files and a variant."""
    variants: tuple[Variant, ...]
    one: Callable[[list[formats.Row]], Any]
    many: Callable[[list[formats.Row]], Any]
    scores: Callable[[Any], formats.Scores]
    path: str = "/predict"
    batch_path: str = "/predict"


def environment(contender: Contender) -> Path:
    """Return where its packages are, installed on first use."""
    if not contender.peer:
        return Path(sys.executable).parents[1]
    return install(f"serving-{contender.peer}", *REQUIREMENTS[contender.peer])


def exporting() -> str:
    """Return the Python that turns a package's model into what peers load."""
    skops = f"skops=={version('skops')}"
    return str(install("serving-export", *SAME, skops) / "bin" / "python")


def start_gleis(_: Path, folder: Path, files: Files, __: Variant) -> ServerProcess:
    port = free_port()
    asked = ["--project", str(files.project), "--port", str(port)]
    return ServerProcess([sys.executable, "-m", "gleis", "serve", *asked], port, folder)


def start_fastapi(env: Path, folder: Path, files: Files, variant: Variant) -> ServerProcess:
    told = ["--model", str(files.model), "--kind", variant["kind"]]
    return _script(env, folder, "fastapi_server.py", told)


def start_litserve(env: Path, folder: Path, files: Files, variant: Variant) -> ServerProcess:
    told = ["--model", str(files.model), "--batch", str(variant.get("batch", 1))]
    told += ["--wait", str(variant.get("wait", 0.0))]
    told += ["--fast-queue"] if variant.get("fast_queue") else []
    return _script(env, folder, "litserve_server.py", told)


def start_bentoml(env: Path, folder: Path, files: Files, variant: Variant) -> ServerProcess:
    port = free_port()
    asked = ["serve", "bentoml_server:Flights", "--working-dir", str(HERE)]
    command = [str(env / "bin" / "bentoml"), *asked, "--host", "127.0.0.1", "--port", str(port)]
    told = {"FLIGHTS_MODEL": str(files.model), "BENTOML_HOME": str(folder)}
    if variant:
        told["FLIGHTS_BATCH"] = str(variant["batch"])
        told["FLIGHTS_LATENCY_MS"] = str(variant["latency_ms"])
    return ServerProcess(command, port, folder, {**told, "PATH": _path(env)})


def start_mlserver(env: Path, folder: Path, files: Files, variant: Variant) -> ServerProcess:
    port = free_port()
    ports = (port, free_port(), free_port())
    write_settings(folder, str(files.model), ports, variant.get("batch", 0), variant.get("wait", 0))
    return ServerProcess([str(env / "bin" / "mlserver"), "start", "."], port, folder)


def start_mlflow(env: Path, folder: Path, files: Files, variant: Variant) -> ServerProcess:
    port = free_port()
    model = files.model.with_name(f"mlflow-{variant['kind']}")
    if not model.exists():
        asked = [str(files.model), str(files.rows), str(model), variant["kind"]]
        python = str(env / "bin" / "python")
        subprocess.run(
            [python, str(HERE / "mlflow_model.py"), *asked], check=True, capture_output=True
        )
    asked = ["-m", str(model), "--env-manager", "local", "-h", "127.0.0.1", "-p", str(port)]
    command = [str(env / "bin" / "mlflow"), "models", "serve", *asked, "-w", "1"]
    return ServerProcess(command, port, folder, {"PATH": _path(env)})


def _script(env: Path, folder: Path, name: str, told: list[str]) -> ServerProcess:
    port = free_port()
    command = [str(env / "bin" / "python"), str(HERE / name), "--port", str(port), *told]
    return ServerProcess(command, port, folder)


def _path(env: Path) -> str:
    return f"{env / 'bin'}:/usr/local/bin:/usr/bin:/bin"


OURS = Contender(
    "gleis",
    "",
    start_gleis,
    ({},),
    formats.one_row,
    formats.under_rows,
    formats.gleis_scores,
)
PEERS = (
    Contender(
        "fastapi",
        "fastapi",
        start_fastapi,
        ({"kind": "async"}, {"kind": "sync"}),
        formats.one_row,
        formats.plain_list,
        formats.named_scores,
        batch_path="/batch",
    ),
    Contender(
        "litserve",
        "litserve",
        start_litserve,
        ({}, {"fast_queue": True}),
        formats.one_row,
        formats.under_rows,
        formats.named_scores,
    ),
    Contender(
        "litserve_batched",
        "litserve",
        start_litserve,
        (
            {"batch": 64, "wait": 0.001},
            {"batch": 64, "wait": 0.005},
            {"batch": 64, "wait": 0.02},
            {"batch": 32, "wait": 0.005},
            {"batch": 64, "wait": 0.005, "fast_queue": True},
        ),
        formats.one_row,
        formats.under_rows,
        formats.named_scores,
    ),
    Contender(
        "bentoml",
        "bentoml",
        start_bentoml,
        ({},),
        formats.under_rows,
        formats.under_rows,
        formats.bare_scores,
    ),
    Contender(
        "bentoml_batched",
        "bentoml",
        start_bentoml,
        (
            {"batch": 64, "latency_ms": 60_000},
            {"batch": 64, "latency_ms": 500},
            {"batch": 32, "latency_ms": 60_000},
        ),
        formats.under_rows,
        formats.under_rows,
        formats.bare_scores,
    ),
    Contender(
        "mlserver",
        "mlserver",
        start_mlserver,
        ({},),
        formats.v2,
        formats.v2,
        formats.v2_scores,
        "/v2/models/flights/infer",
        "/v2/models/flights/infer",
    ),
    Contender(
        "mlserver_batched",
        "mlserver",
        start_mlserver,
        (
            {"batch": 64, "wait": 0.001},
            {"batch": 64, "wait": 0.005},
            {"batch": 64, "wait": 0.02},
            {"batch": 32, "wait": 0.005},
        ),
        formats.v2,
        formats.v2,
        formats.v2_scores,
        "/v2/models/flights/infer",
        "/v2/models/flights/infer",
    ),
    Contender(
        "mlflow",
        "mlflow",
        start_mlflow,
        ({"kind": "plain"}, {"kind": "signature"}),
        formats.split,
        formats.split,
        formats.proba_scores,
        "/invocations",
        "/invocations",
    ),
)


def as_line(value: Any) -> bytes:
    """Return JSON without line breaks, as small as a client sends it."""
    return json.dumps(value, separators=(",", ":")).encode()
