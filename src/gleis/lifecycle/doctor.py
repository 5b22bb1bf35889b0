"""Is everything in order? One check after another, each with what was found."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from gleis.config.load import load_settings
from gleis.config.settings import Settings
from gleis.contracts.errors import GleisError
from gleis.data.module import open_module
from gleis.governance.gate_checks import check_gates
from gleis.governance.gate_rules import parse_gates
from gleis.lifecycle.alarms.alarms import ProjectAlarms
from gleis.lifecycle.alarms.announcing import project_receivers
from gleis.lifecycle.workbench import Workbench
from gleis.packaging.verify import verify
from gleis.store.home import Home, open_home
from gleis.store.objects.by_url import open_objects, resolve_url
from gleis.store.objects.owner import ledger_id, not_ours, read_owner
from gleis.store.objects.patience import Patience
from gleis.store.objects.probe import probe

_HURRIED = 10.0
"""Seconds to wait for a store or remote: whoever asks the doctor is waiting too."""
_NEEDS = {"packages": "store"}
"""What a check is not tried without: it would wait for it once more."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check."""

    name: str
    ok: bool
    found: str


def examine_project(folder: Path) -> list[Check]:
    """Check installation, settings, module, gates, state, ledger, live packages, store, remote."""
    checks = [_check("python", lambda: sys.version.split()[0])]
    checks.append(_check("sqlite", lambda: sqlite3.sqlite_version))
    settings: list[Settings] = []
    checks.append(_check("settings", lambda: _settings(folder, settings)))
    if not settings:
        return checks
    homes: list[Home] = []
    checks.append(_check("database", lambda: _database(folder, settings[0], homes)))
    if not homes:
        return checks
    home = homes[0]
    bench = Workbench(folder.resolve(), settings[0], home)
    steps: dict[str, Callable[[], str]] = {
        "module": lambda: _module(bench),
        "gates": lambda: _gates(bench.settings),
        "state": lambda: _state(home),
        "ledger": lambda: f"{home.facts.verify():,} facts, chain unbroken",
        "log": lambda: f"{home.log.counts().predictions:,} predictions",
        **({"store": lambda: _store(home)} if home.store else {}),
        "packages": lambda: _packages(bench),
        **({"remote": lambda: _remote(bench)} if bench.settings.remote else {}),
        "alarms": lambda: _alarms(bench),
    }
    for name, step in steps.items():
        checks.append(_in_turn(name, step, [check for check in checks if not check.ok]))
    home.close()
    return checks


def _in_turn(name: str, step: Callable[[], str], failed: list[Check]) -> Check:
    """Check something; what failed before is not waited for, and not said, once more."""
    if _NEEDS.get(name) in {before.name for before in failed}:
        return Check(name=name, ok=False, found=f"not looked at: it needs {_NEEDS[name]}")
    check = _check(name, step)
    same = next((before.name for before in failed if before.found == check.found), None)
    return check if same is None else msgspec.structs.replace(check, found=f"the same as {same}")


def _check(name: str, step: Callable[[], str]) -> Check:
    try:
        return Check(name=name, ok=True, found=step())
    except GleisError as error:
        return Check(name=name, ok=False, found=str(error))


def _settings(folder: Path, found: list[Settings]) -> str:
    loaded = load_settings(folder.resolve())
    for field, url in (("store", loaded.store), ("remote", loaded.remote)):
        if url is not None:
            resolve_url(url, folder.resolve(), field)
    found.append(loaded)
    return f"{found[0].project.name}, {found[0].project.task}, target {found[0].project.target}"


def _module(bench: Workbench) -> str:
    module = open_module(bench.folder, bench.settings.project.module)
    return f"{module.path.name}: load, build_model" + (", baseline" if module.baseline else "")


def _gates(settings: Settings) -> str:
    check_gates(settings)
    return (
        ", ".join(f"{gate.name} {gate.rule}" for gate in parse_gates(settings.gates))
        or "the implied one"
    )


def _database(folder: Path, settings: Settings, opened: list[Home]) -> str:
    home = open_home(folder.resolve(), settings)
    home.patience = _hurried(home)
    opened.append(home)
    if home.database is None:
        return "files in the state folder"
    from gleis.store.postgres.health import examine_server

    return examine_server(home.database)


def _state(home: Home) -> str:
    home.create()
    return str(home.folder)


def _store(home: Home) -> str:
    objects = open_objects(home.store or "", home.patience)
    owner = read_owner(objects)
    if owner is not None and owner.ledger != ledger_id(home.facts):
        raise not_ours(objects.url, owner)
    probe(objects)
    whose = "nobody's yet" if owner is None else "this ledger's"
    return f"{objects.url}, {whose}: written, read, deleted; two writers are kept apart"


def _remote(bench: Workbench) -> str:
    url = resolve_url(bench.settings.remote or "", bench.folder, "remote")
    facts = open_objects(url, bench.home.patience, "remote").list("facts")
    return f"{url}: {len(facts):,} facts" if facts else f"{url}: empty. Next: gleis push"


def _hurried(home: Home) -> Patience:
    return Patience(seconds=min(_HURRIED, home.patience.seconds))


def _packages(bench: Workbench) -> str:
    aliases = bench.registry.aliases()
    for alias, version in aliases.items():
        result = verify(bench.registry.path(version), version.digest, bench.trust)
        failed = [check.text for check in result.checks if not check.passed]
        if failed:
            raise GleisError(f"{alias}, version {version.number}: {failed[0]}")
    told = ", ".join(f"{alias} v{version.number}" for alias, version in aliases.items())
    return f"{told}: verified" if told else "none yet"


def _alarms(bench: Workbench) -> str:
    alarms = ProjectAlarms(bench.settings, bench.home, bench.clock)
    names = [receiver.name for receiver in project_receivers(bench.settings)]
    waiting = [one for one in alarms.untold() if one.attempts > 1]
    if waiting:
        one = waiting[0]
        raise GleisError(
            f"{one.receiver} is not told, after {one.attempts} attempts: {one.said}",
            remedy="Try it: gleis alarms test.",
        )
    open_ones = sum(one.state.status == "open" for one in alarms.standing())
    return f"{open_ones} open; told: {', '.join(names) or 'nobody'}"
