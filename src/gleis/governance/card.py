"""The model card: what a model is for, how good it is, on what, and where it is not known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from gleis.contracts.contract import Column, Contract
from gleis.contracts.datasheet import Datasheet
from gleis.contracts.evidence import Evidence, SliceFigures
from gleis.contracts.run import Run
from gleis.contracts.verdict import Verdict
from gleis.evidence.calibration_fit import IDEALS
from gleis.evidence.metrics import METRICS, PRIMARY_LOSS, SLICE_METRICS
from gleis.governance.card_datasheet import datasheet_parts
from gleis.governance.card_evidence import evidence_parts
from gleis.governance.figure_text import known_text
from gleis.governance.markdown import bullets, cell, listed, table
from gleis.governance.verdict_text import verdict_rows, verdict_sentence

_WORST = 10


def write_card(
    run: Run, contract: Contract, verdict: Verdict, datasheet: Datasheet | None = None
) -> str:
    """Write the model card of a run, in Markdown.

    Parameters
    ----------
    run : Run
        With its evidence.
    contract : Contract
    verdict : Verdict
    datasheet : Datasheet, optional
        Of the data it was trained on.

    Returns
    -------
    str
        The same run gives the same card.

    References
    ----------
    Mitchell, M. et al. (2019). Model cards for model reporting. FAT*, section 4.
    """
    parts = (
        [f"# {cell(run.project)}: {_KINDS[run.kind]}", cell(verdict_sentence(verdict))],
        ["## What it predicts", _purpose(contract), f"Why it was made: {cell(run.cause)}."],
        ["## Data", _data(run), *datasheet_parts(datasheet, run.dataset)],
        _quality(run.evidence),
        ["## Gates", _gates(verdict)],
        _slices(run.evidence, SLICE_METRICS[contract.task]),
        *evidence_parts(run.evidence, PRIMARY_LOSS[contract.task]),
        ["## Inputs", _inputs(contract.features)],
        ["## Limits", bullets(_limits(run, contract))],
        ["## How to reproduce", f"`gleis run --reproduce {run.id}`", _origin(run)],
        ["## Environment", _environment(run)],
    )
    return "\n\n".join(block for part in parts for block in part if block) + "\n"


_KINDS = {"model": "model card", "baseline": "card of the baseline, a heuristic"}


def _purpose(contract: Contract) -> str:
    target = f"`{contract.target}`"
    classes = [f"`{name}`" for name in contract.classes or ()]
    if contract.task == "regression":
        return f"The value of {target}, in its own unit."
    if contract.task == "binary" and len(classes) == 2:
        return f"The probability, from 0 to 1, that {target} is {classes[1]} and not {classes[0]}."
    return f"The probability of each value of {target}: {', '.join(classes)}. They add up to 1."


def _data(run: Run) -> str:
    data = run.dataset
    return table(
        ("", ""),
        [
            ("dataset version", f"`{data.label}`"),
            ("content (SHA-256)", f"`{data.content}`"),
            ("source", f"`{data.provenance.source}`, loaded {_day(data.provenance.loaded_at)}"),
            (
                "period",
                f"{_day(data.first)} to {_day(data.last)}" if data.first else "no time column",
            ),
            ("rows", f"{data.rows:,}"),
            ("left out, no label yet", f"{data.unlabelled:,}"),
            ("rows trained on", f"{run.train_rows:,}"),
            ("rows tested on", f"{run.test_rows:,}"),
        ],
    )


def _quality(evidence: Evidence) -> list[str]:
    names = dict.fromkeys((*evidence.figures, *evidence.baseline))
    compared = bool(evidence.gain)
    head = ("figure", "better when", "this model", *(("baseline", "gain") if compared else ()))
    lines = []
    for name in names:
        greater = name not in METRICS or METRICS[name].greater_is_better
        better = f"near {IDEALS[name]:g}" if name in IDEALS else "higher" if greater else "lower"
        line = (name, better, known_text(evidence.figures.get(name)))
        rival = (known_text(evidence.baseline.get(name)), known_text(evidence.gain.get(name)))
        lines.append(line + (rival if compared else ()))
    said = (
        f"On {evidence.rows:,} test rows the model has not seen; in brackets the bootstrap "
        f"interval{_level(evidence)}."
    )
    if compared:
        said += " The gain is measured on the same rows; above 0 is better than the baseline."
    return ["## Quality", said, table(head, lines), _calibration(evidence)]


def _calibration(evidence: Evidence) -> str:
    if not evidence.calibration:
        return ""
    worst = max(evidence.calibration, key=lambda b: abs(b.predicted - b.observed))
    return (
        f"Calibration: of {len(evidence.calibration)} groups by score the farthest off is the one "
        f"from {worst.low:.3f} to {worst.high:.3f}: predicted {worst.predicted:.3f}, observed "
        f"{worst.observed:.3f} ({worst.rows:,} rows)."
    )


def _gates(verdict: Verdict) -> str:
    rows = [
        (row.gate, row.asked, row.measured, row.status, row.reason) for row in verdict_rows(verdict)
    ]
    return table(("gate", "asked", "measured", "answer", "reason"), rows)


def _slices(evidence: Evidence, names: Sequence[str]) -> list[str]:
    if not evidence.slices:
        return []
    ranked = names[0]
    known = [part for part in evidence.slices if ranked in part.figures]
    worst = sorted(known, key=lambda part: METRICS[ranked].sign * part.figures[ranked].value)[
        :_WORST
    ]
    lines = [_slice_line(part, names) for part in worst]
    said = f"{len(worst)} of {len(known)} known slices, the worst by {ranked} first."
    unknown = [f"{part.column} = {part.value}" for part in evidence.slices if not part.figures]
    blocks = ["## Slices", said, table(("slice", "rows", *names), lines)]
    if unknown:
        blocks.append(f"Unknown, with too few rows or one class only: {listed(unknown)}.")
    return blocks


def _slice_line(part: SliceFigures, names: Sequence[str]) -> tuple[str, ...]:
    figures = (known_text(part.figures.get(name)) for name in names)
    return (f"{part.column} = {part.value}", f"{part.rows:,}", *figures)


def _inputs(columns: Iterable[Column]) -> str:
    lines = [
        (f"`{c.name}`", c.kind, _seen(c), "yes" if c.nullable else "no", c.unit or "")
        for c in columns
    ]
    return table(("name", "kind", "seen in training", "may be missing", "unit"), lines)


def _seen(column: Column) -> str:
    if column.categories is not None:
        return f"{len(column.categories)} values: {listed(column.categories)}"
    if column.low is not None and column.high is not None:
        return f"{column.low:g} to {column.high:g}"
    return ""


def _limits(run: Run, contract: Contract) -> list[str]:
    data = run.dataset
    limits = list(run.evidence.notes)
    if data.first:
        limits.append(
            f"It knows the world from {_day(data.first)} to {_day(data.last)} only; monitors "
            "watch for the day it changes."
        )
    if any(column.low is not None for column in contract.features):
        limits.append("A number outside the range seen in training is answered, and flagged.")
    if any(column.categories for column in contract.features):
        limits.append("A category not seen in training is answered, and flagged as unseen.")
    limits.append(
        "Intervals take the rows, or split by group the groups, to be independent of each other; "
        "where they are not, the truth is less certain than it looks."
    )
    limits.append("The figures say how well it predicts, not what causes what.")
    return limits


def _origin(run: Run) -> str:
    code = run.code
    commit = f"`{code.commit}`{', with changes' if code.diff else ''}" if code.commit else "no git"
    return table(
        ("", ""),
        [
            ("run", f"`{run.id}`, started {_moment(run.started)}"),
            ("code reached (hash)", f"`{code.reached}`"),
            ("commit", commit),
            ("model (SHA-256)", f"`{run.model}`"),
            ("parameters", f"`{_json(run.params)}`"),
            ("seeds", f"`{_json(run.seeds)}`"),
        ],
    )


def _environment(run: Run) -> str:
    made = run.environment
    return table(
        ("", ""),
        [
            ("Python", made.python),
            ("platform", made.platform),
            ("processors", str(made.cpus)),
            ("packages (artifact)", f"`{made.lock}`"),
        ],
    )


def _level(evidence: Evidence) -> str:
    levels = {f"{figure.level:.0%}" for figure in evidence.figures.values()}
    return f" ({levels.pop()})" if len(levels) == 1 else ""


def _day(moment: datetime | None) -> str:
    return "" if moment is None else moment.date().isoformat()


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _json(value: object) -> str:
    return msgspec.json.encode(value, order="sorted").decode()
