"""``gleis fairness --sweep``: what mitigations cost and give, as a table and a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import vl_convert

from gleis.contracts.frontier import FairnessSweep
from gleis.contracts.run import Run
from gleis.contracts.sweep import Asked
from gleis.evidence.mitigation.frontier_chart import frontier_chart
from gleis.lifecycle.backtests.report import EXPORTS, PAGES, spec
from gleis.lifecycle.workbench import Tell, silent
from gleis.training.fairness_sweep import sweep_mitigations

if TYPE_CHECKING:
    from gleis.lifecycle.project import Project


def sweep_fairness(
    project: Project, run: Run, asked: Asked | None = None, tell: Tell = silent
) -> FairnessSweep:
    """Try every mitigation on the rows of a run, with the project's code and settings as they are.

    Nothing is registered; the model that is live stays.

    Parameters
    ----------
    project : Project
    run : Run
        Its dataset version is fitted and measured.
    asked : Asked, optional
    tell : callable (step, message), optional

    Raises
    ------
    ConfigError
        No protected column is named, or a figure is not known.
    """
    trainer = project.bench.trainer
    return sweep_mitigations(
        project.settings,
        trainer.prepare(run.dataset),
        trainer.build,
        asked or Asked(),
        lambda message: tell("sweep", message),
    )


def write_sweep(sweep: FairnessSweep, run: Run, path: Path) -> Path:
    """Write the page of a sweep: one HTML file with everything in it, no network.

    Parameters
    ----------
    sweep : FairnessSweep
    run : Run
        Whose rows they are.
    path : Path
        Its folder is made.
    """
    page = PAGES.get_template("sweep.html").render(
        sweep=sweep,
        run=run,
        others=[name for name in sweep.points[0].quality if name != sweep.quality],
        chart=spec(frontier_chart(sweep)),
        library=vl_convert.javascript_bundle(EXPORTS),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path
