"""The report of a recorded run, judged by the gates as they are now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gleis.contracts.deployment import Version
from gleis.contracts.run import Run
from gleis.evidence.explain.words import wording
from gleis.lifecycle.judging import judge_again
from gleis.lifecycle.run_report import Subject, write_run_report
from gleis.registry.deployments import Deployments

if TYPE_CHECKING:
    from gleis.lifecycle.project import Project


def report_run(project: Project, run: Run, path: Path | None = None) -> Path:
    """Write the report of a run; by default into the state folder.

    Raises
    ------
    ConfigError
        If a gate could never be answered.
    """
    judged = judge_again(run, project.settings)
    about, number = project.settings.project, _number(project, run)
    subject = Subject(
        task=about.task,
        target=about.target,
        version=number,
        standing=_standing(project, number),
        names=wording(project.settings.explain, "en"),
    )
    target = path or project.home.reports / f"{run.id}.html"
    return write_run_report(run, judged.verdict, judged.changed, subject, target)


def _number(project: Project, run: Run) -> int | None:
    found = [msgspec.json.decode(body, type=Version) for body in project.home.facts.all("version")]
    return next((version.number for version in reversed(found) if version.run == run.id), None)


def _standing(project: Project, number: int | None) -> str:
    live = Deployments(project.home, project.clock).champion()
    if live is None or number is None:
        return "is not live"
    if live.version.number == number:
        return f"is champion since {live.at:%Y-%m-%d %H:%M} UTC"
    return f"is not live; version {live.version.number} is champion"
