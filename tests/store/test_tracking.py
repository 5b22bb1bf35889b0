"""Against the real MLflow on SQLite."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest

from gleis.contracts.errors import StoreError
from gleis.store.home import Home
from gleis.store.tracking import Tracking

START = datetime(2013, 4, 1, tzinfo=UTC)
PACKAGE = {
    "MLmodel": """\
flavors:
  python_function:
    loader_module: adder_of_one
    code: code
    python_version: {python}
model_uuid: 0123456789abcdef0123456789abcdef
utc_time_created: '2013-04-01 00:00:00'
""",
    "code/adder_of_one.py": """\
class Adder:
    def predict(self, rows):
        return [row + 1 for row in rows["x"]]


def _load_pyfunc(path):
    return Adder()
""",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = Home(tmp_path_factory.mktemp("tracking") / ".gleis")
    home.create()
    return home


@pytest.fixture(scope="module")
def tracking(home):
    return Tracking(home.tracking_uri, home.tracking_artifacts, "punctuality")


def write_package(folder):
    for name, text in PACKAGE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        version = ".".join(map(str, sys.version_info[:3]))
        (folder / name).write_text(text.replace("{python}", version))
    return folder


def log_run(tracking, **changes):
    parts = {
        "params": {"learning_rate": 0.1},
        "metrics": {"roc_auc": 0.7},
        "tags": {"gleis.dataset": "flights@v3"},
        "texts": {"card.md": "# A card"},
        "started": START,
        "ended": START + timedelta(seconds=90),
    }
    return tracking.log_run("spring", **(parts | changes))


def test_a_run_is_there_as_written(home, tracking):
    run = log_run(tracking)
    found = tracking._mlflow.client.get_run(run)
    assert found.info.run_name == "spring"
    assert found.info.status == "FINISHED"
    assert found.info.end_time - found.info.start_time == 90_000
    assert found.info.start_time == START.timestamp() * 1000
    assert found.data.params == {"learning_rate": "0.1"}
    assert found.data.metrics == {"roc_auc": 0.7}
    assert found.data.tags["gleis.dataset"] == "flights@v3"
    assert (home.tracking_artifacts / run / "artifacts" / "card.md").read_text() == "# A card"


def test_more_than_a_call_may_carry(tracking):
    params = {f"p{i}": i for i in range(230)}
    metrics = {f"m{i}": float(i) for i in range(1100)} | {"unknown": float("nan")}
    tags = {f"t{i}": str(i) for i in range(130)}
    run = log_run(tracking, params=params, metrics=metrics, tags=tags, texts={})
    data = tracking._mlflow.client.get_run(run).data
    assert data.params == {name: str(value) for name, value in params.items()}
    assert data.metrics == {f"m{i}": float(i) for i in range(1100)}
    assert tags.items() <= data.tags.items()


def test_series_and_tags(tracking):
    run = log_run(tracking)
    weeks = [(week, 0.5 + week / 100) for week in range(40)]
    tracking.log_series(run, {"log_loss": [*weeks, (40, float("inf"))], "roc_auc": weeks[:3]})
    tracking.set_tag(run, "gleis.kind", "backtest")
    client = tracking._mlflow.client
    history = client.get_metric_history(run, "log_loss")
    assert [(point.step, point.value) for point in history] == weeks
    assert client.get_run(run).data.tags["gleis.kind"] == "backtest"


def test_versions_and_aliases(tracking, tmp_path):
    assert tracking.version_tags("flights") == {}
    assert tracking.aliases("flights") == {}
    run = log_run(tracking)
    numbers = [
        tracking.create_version("flights", tmp_path, source, {"gleis.run": str(source)})
        for source in (run, None)
    ]
    assert numbers == [1, 2]
    assert tracking.version_tags("flights") == {1: {"gleis.run": run}, 2: {"gleis.run": "None"}}
    tracking.set_alias("flights", "champion", 1)
    tracking.set_alias("flights", "champion", 2)
    tracking.set_alias("flights", "previous", 1)
    assert tracking.aliases("flights") == {"champion": 2, "previous": 1}
    assert tracking.aliases("fli") == {}


def test_any_mlflow_tool_loads_the_champion(home, tracking, tmp_path):
    import mlflow
    import pandas

    tracking.create_version("adder", write_package(tmp_path / "pkg"), None, {})
    tracking.set_alias("adder", "champion", 1)
    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    mlflow.set_tracking_uri(home.tracking_uri)
    mlflow.set_registry_uri(home.tracking_uri)
    try:
        model = mlflow.pyfunc.load_model("models:/adder@champion")
    finally:
        mlflow.set_tracking_uri(before[0])
        mlflow.set_registry_uri(before[1])
    assert list(model.predict(pandas.DataFrame({"x": [1, 2]}))) == [2, 3]


def test_what_mlflow_does_not_know(tracking):
    with pytest.raises(StoreError, match="none"):
        tracking.set_tag("none", "a", "b")
    with pytest.raises(StoreError, match="MLflow"):
        tracking.set_alias("nobody", "champion", 1)


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    tracking = Tracking(f"sqlite:///{tmp_path}/file/mlflow.db", tmp_path, "x")
    with pytest.raises(StoreError, match=r"tracking in gleis\.toml"):
        tracking.aliases("x")


def test_quiet_and_only_in_the_state_folder(tmp_path):
    """In a fresh process, as a user's: nothing printed, nothing in the working directory."""
    code = (
        "import sys\n"
        "from datetime import UTC, datetime\n"
        "from gleis.store.home import Home\n"
        "from gleis.store.tracking import Tracking\n"
        "from pathlib import Path\n"
        "assert 'mlflow' not in sys.modules\n"
        "home = Home(Path(sys.argv[1]))\n"
        "home.create()\n"
        "now = datetime(2013, 4, 1, tzinfo=UTC)\n"
        "tracking = Tracking(home.tracking_uri, home.tracking_artifacts, 'x')\n"
        "tracking.log_run('r', params={}, metrics={'a': 1.0}, tags={}, texts={'a.txt': 'a'},\n"
        "                 started=now, ended=now)\n"
        "tracking.create_version('m', home.folder, None, {})\n"
        "from mlflow.telemetry.utils import is_telemetry_disabled\n"
        "assert is_telemetry_disabled()\n"
    )
    work = tmp_path / "work"
    work.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "state")],
        cwd=work,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(work)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == done.stderr == ""
    assert list(work.iterdir()) == []


@pytest.mark.slow
def test_a_server_gets_the_package(tmp_path, unused_port):
    command = [
        sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1",
        "--port", str(unused_port), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{tmp_path}/server.db",
        "--artifacts-destination", str(tmp_path / "server"),
    ]  # fmt: skip
    uri = f"http://127.0.0.1:{unused_port}"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(f"{uri}/health")
            tracking = Tracking(uri, tmp_path / "unused", "punctuality")
            package = write_package(tmp_path / "pkg")
            with pytest.raises(StoreError, match="none was named"):
                tracking.create_version("adder", package, None, {})
            run = log_run(tracking)
            assert tracking.create_version("adder", package, run, {"gleis.run": "r"}) == 1
            tracking.set_alias("adder", "champion", 1)
            assert tracking.version_tags("adder") == {1: {"gleis.run": "r"}}
            assert next((tmp_path / "server").rglob("adder_of_one.py"))
            assert not (tmp_path / "unused").exists()
        finally:
            server.terminate()


@pytest.fixture
def unused_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url, seconds=90):
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


def test_a_run_is_found_by_its_tag(tracking):
    assert tracking.find_run("gleis.run", "r1") is None
    moment = datetime(2013, 4, 1, tzinfo=UTC)
    run = tracking.log_run(
        "r1",
        params={},
        metrics={},
        tags={"gleis.run": "r1"},
        texts={},
        started=moment,
        ended=moment,
    )
    assert tracking.find_run("gleis.run", "r1") == run
    assert tracking.find_run("gleis.run", "r2") is None
