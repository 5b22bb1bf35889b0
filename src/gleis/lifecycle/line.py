"""The line: source data -> dataset version -> run -> evidence -> verdict -> package -> registry.

Every step is a function of a workbench and earlier results; ``carry`` sets their order. Under a
durable ``do`` each result is on disk before the next step starts, so a killed process goes on
where it stopped; every step is harmless to repeat.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

import msgspec

from gleis.contracts.alarm import Decision
from gleis.contracts.dataset import DatasetVersion
from gleis.contracts.deployment import BASELINE, CHAMPION, Version
from gleis.contracts.errors import DataError, RegistryError
from gleis.contracts.evidence import Evidence
from gleis.contracts.release import Trial
from gleis.contracts.run import Run
from gleis.data.checking.recheck import recheck
from gleis.data.loading import Loading
from gleis.data.refresh import is_current, refresh, reload
from gleis.data.reviews import known_by, read_reviews, reviewed_note
from gleis.governance.gate_checks import check_gates
from gleis.governance.gate_rules import sections_asked
from gleis.lifecycle.champion import beside_champion
from gleis.lifecycle.data.copies import drop_erased_copies
from gleis.lifecycle.features.kept import fill_online
from gleis.lifecycle.pack import Packed, pack
from gleis.lifecycle.record import judge_baseline_run, judge_run
from gleis.lifecycle.releasing import end_running, start_release
from gleis.lifecycle.results import Outcome
from gleis.lifecycle.since_change import bench_of
from gleis.lifecycle.tracked import track_run
from gleis.lifecycle.unchanged import keep_done
from gleis.lifecycle.workbench import Workbench, whoami
from gleis.training.keys import done_key, load_code
from gleis.training.results import CompiledForm, Examined, Fitted, Ruled

Result = TypeVar("Result")


class Do(Protocol):
    """Does a step and returns its result."""

    def __call__(self, name: str, kind: type[Result], step: Callable[[], Result]) -> Result:
        """Do ``step``, or return what it returned before a crash."""
        ...


def directly(name: str, kind: type[Result], step: Callable[[], Result]) -> Result:
    """Do a step without any durability beyond the step's own."""
    return step()


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What must not be decided anew when a journey is resumed."""

    first: bool
    """No heuristic is registered, or nothing is live."""


class Promoted(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the champion changed."""

    promoted: bool
    released: Trial | None = None
    """How it is tried instead."""


def carry(bench: Workbench, decision: Decision, until: datetime, do: Do = directly) -> Outcome:
    """Carry the source's rows up to ``until`` through to a registered, judged version.

    Parameters
    ----------
    bench : Workbench
    decision : Decision
        Why; its id names the journey, and the same journey promotes once.
    until : datetime
        Rows from this moment on are left out; their labels are not known yet.
    do : Do
        How steps are done.
    """
    bench = bench_of(bench, decision)
    settings = bench.settings
    check_gates(settings)
    bench.open_key()
    drop_erased_copies(bench.home)
    dataset = do("data", DatasetVersion, lambda: known_rows(bench, until))
    ruled = do("baseline", Ruled, lambda: make_rule(bench, dataset))
    first = do("plan", Plan, lambda: plan(bench)).first
    if first:
        lay_baseline(bench, decision, dataset, ruled, do)
    fitted = do("fit", Fitted, lambda: fit(bench, dataset))
    examined = do("examine", Examined, lambda: examine_candidate(bench, dataset, fitted, ruled))
    run = do("judge", Run, lambda: judge_run(bench, decision, dataset, fitted, ruled, examined))
    packed = do("package", Packed, lambda: pack(bench, run, fitted, ruled, examined))
    version = do("register", Version, lambda: register(bench, run, packed))
    if fitted.contract.served is not None and bench.tracked:
        fill_online(bench, version)
    last = do("promote", Promoted, lambda: promote(bench, version, run, decision, first=first))
    outcome = Outcome(
        decision=decision,
        at=decision.at,
        run=as_recorded(bench, run),
        version=version,
        promoted=last.promoted,
        released=last.released,
    )
    keep_done(bench.home, done_key(fitted.key, ruled.key, settings), outcome)
    return outcome


def gather(
    bench: Workbench, until: datetime, *, anew: bool = False, note: str | None = None
) -> DatasetVersion:
    """Append what the source has before ``until`` and the dataset has not; or load all anew."""
    code = load_code(bench.folder, bench.settings)
    latest = bench.datasets.latest()
    reviewed = read_reviews(bench.home.facts, bench.home.log, bench.clock.now())
    if latest is not None and not anew and is_current(bench.datasets, until, code, reviewed):
        bench.tell("data", f"{latest.label} has all rows until {until:%Y-%m-%d %H:%M}")
        return latest
    bench.tell("data", f"loading rows until {until:%Y-%m-%d %H:%M}")
    loading = Loading(
        module=bench.module,
        settings=bench.settings,
        code=code,
        clock=bench.clock,
        home=bench.datasets.home,
        reviewed=reviewed,
        note=note,
        beside=bench.kept,
    )
    if anew:
        return reload(bench.datasets, loading, until)
    found = refresh(bench.datasets, loading, until)
    if note := reviewed_note(found):
        bench.tell("data", note)
    return found


def known_rows(bench: Workbench, until: datetime) -> DatasetVersion:
    """Bring the dataset up to ``until``; if it is further already, go back to what was known."""
    latest = bench.datasets.latest()
    if latest is not None and _later(bench, latest, until):
        return _as_of(bench, until, load_code(bench.folder, bench.settings))
    found = gather(bench, until)
    checked = recheck(bench.datasets, found)
    if checked is not found:
        bench.tell("data", f"{checked.label}: {checked.quarantined:,} rows fail a check, set aside")
    return checked


def _later(bench: Workbench, dataset: DatasetVersion, until: datetime) -> bool:
    """Say whether a version may hold rows from ``until`` on, or labels that were reviewed later.

    One made since may.
    """
    if not known_by(dataset, bench.clock.now()):
        return True
    end = dataset.provenance.until
    timed = dataset.last is not None
    return timed and end is not None and end > until


def _as_of(bench: Workbench, until: datetime, code: str) -> DatasetVersion:
    """Return the newest version without rows from ``until`` on.

    Raises
    ------
    DataError
        If there is none.
    """
    for version in reversed(bench.datasets.versions()):
        if not _later(bench, version, until) and bench.datasets.vouched(version, code):
            bench.tell("data", f"{version.label} is the newest without rows from {until} on")
            return version
    raise DataError(
        "every dataset version holds rows from this moment on, which were not known then",
        seen=f"{until:%Y-%m-%d %H:%M}",
        remedy="Take a state folder of its own for the past: --set state=.gleis-past.",
        field="--as-of",
    )


def plan(bench: Workbench) -> Plan:
    """Say whether the heuristic must be laid first."""
    aliases = bench.registry.aliases()
    return Plan(first=BASELINE not in aliases or CHAMPION not in aliases)


def make_rule(bench: Workbench, dataset: DatasetVersion) -> Ruled:
    """Tabulate the baseline."""
    bench.tell("baseline", "tabulating the rule")
    return bench.trainer.rule(dataset)


def fit(bench: Workbench, dataset: DatasetVersion) -> Fitted:
    """Fit the model."""
    bench.tell("fit", f"fitting on {dataset.label}")
    return bench.trainer.fit(dataset)


def examine(
    bench: Workbench, dataset: DatasetVersion, fitted: Fitted | Ruled, ruled: Ruled
) -> Examined:
    """Measure on the test rows."""
    bench.tell("examine", "figures, intervals, slices")
    trainer = bench.trainer
    examined = trainer.examine(dataset, fitted, ruled)
    evidence, form = examined.evidence, None
    if isinstance(fitted, Fitted):
        form = trainer.compile(fitted, examined)
        evidence = with_forms(evidence, form)
    only = sections_asked(bench.settings.gates) if bench.asked_only else None
    if only is None:
        bench.tell("examine", "fairness, robustness, leakage, simpler models")
    evidence = trainer.deepen(evidence, dataset, fitted, ruled, form, only)
    return msgspec.structs.replace(examined, evidence=evidence)


def examine_candidate(
    bench: Workbench, dataset: DatasetVersion, fitted: Fitted, ruled: Ruled
) -> Examined:
    """Measure on the test rows, and beside the champion if a gate asks for that."""
    examined = examine(bench, dataset, fitted, ruled)
    return beside_champion(bench, dataset, fitted, examined)


def with_forms(evidence: Evidence, made: CompiledForm) -> Evidence:
    """Return evidence that says what answers: a compiled form, ONNX, or the estimator itself."""
    notes = evidence.notes
    if not made.parity.accepted:
        what = (
            "ONNX answers" if made.onnx and made.onnx.accepted else "The estimator itself answers"
        )
        notes = (*notes, f"{what}, not a compiled form: {made.parity.reason}")
    return msgspec.structs.replace(evidence, compiled=made.parity, onnx=made.onnx, notes=notes)


def lay_baseline(
    bench: Workbench, decision: Decision, dataset: DatasetVersion, ruled: Ruled, do: Do
) -> Version:
    """Package, register and deploy the heuristic: it is version 1, and serves."""
    bench.tell("baseline", "the heuristic becomes version 1")
    examined = do("baseline: examine", Examined, lambda: examine(bench, dataset, ruled, ruled))
    run = do(
        "baseline: judge",
        Run,
        lambda: judge_baseline_run(bench, decision, dataset, ruled, examined),
    )
    packed = do("baseline: package", Packed, lambda: pack(bench, run, ruled, ruled, examined))
    version = do("baseline: register", Version, lambda: register(bench, run, packed))

    def deploy() -> Promoted:
        cause = f"{decision.id}/baseline"
        bench.deployments.deploy(BASELINE, version, "the heuristic", whoami(), cause)
        reason = "the heuristic is version 1"
        done = bench.deployments.promote(version, reason, whoami(), f"{cause}/champion")
        return Promoted(promoted=done)

    do("baseline: promote", Promoted, deploy)
    return version


def register(bench: Workbench, run: Run, packed: Packed) -> Version:
    """Track the run and enter its package in the registry."""
    bench.tell("register", run.id)
    passed = run.verdict is not None and run.verdict.passed
    tracked = track_run(bench, run)
    done = msgspec.structs.replace(run, package=packed.digest, tracking=tracked)
    bench.home.facts.append("run", run.id, msgspec.json.encode(done), bench.clock.now())
    return bench.registry.register(packed.location, packed.digest, run.id, passed, tracked)


def as_recorded(bench: Workbench, run: Run) -> Run:
    """Return the run as the ledger has it last: with its package and its tracking."""
    body = bench.home.facts.latest("run", run.id)
    return run if body is None else msgspec.json.decode(body, type=Run)


def promote(
    bench: Workbench, version: Version, run: Run, decision: Decision, *, first: bool = False
) -> Promoted:
    """Make the version champion, or try it beside the champion, if its verdict lets it.

    The first learned version is promoted at once: the heuristic beside it was laid a moment ago,
    and nobody has been served by it.
    """
    verdict = run.verdict
    if verdict is None or not verdict.passed:
        # Why was told when it was judged.
        bench.tell("promote", f"version {version.number} is kept, not promoted")
        return Promoted(promoted=False)
    strategy = bench.settings.release.strategy
    if strategy != "champion" and not first and not _is_champion(bench, version):
        return _try(bench, strategy, version, decision)
    bench.deployments.promote(version, decision.reason, whoami(), decision.id)
    end_running(bench, "replaced", f"version {version.number} became champion", whoami())
    bench.tell("promote", f"version {version.number} is champion")
    return Promoted(promoted=True)


def _try(bench: Workbench, strategy: Trial, version: Version, decision: Decision) -> Promoted:
    """Start the declared release; a version that cannot be compared is kept, explained."""
    try:
        start_release(bench, strategy, version, decision.reason, whoami(), decision.id)
    except RegistryError as error:
        bench.tell("release", f"version {version.number} is kept, not promoted: {error}")
        return Promoted(promoted=False)
    bench.tell("release", f"version {version.number} is tried beside the champion: {strategy}")
    return Promoted(promoted=False, released=strategy)


def _is_champion(bench: Workbench, version: Version) -> bool:
    live = bench.deployments.champion()
    return live is not None and live.version == version
