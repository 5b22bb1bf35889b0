"""Gates that no evidence could ever answer are refused, before any training starts."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from gleis.config.settings import Settings
from gleis.contracts.contract import Task
from gleis.contracts.errors import ConfigError
from gleis.evidence.calibration_fit import CALIBRATION_FIGURES, CALIBRATION_GAP, IDEALS
from gleis.evidence.metrics import SLICE_METRICS, find_metric
from gleis.evidence.robustness.names import CHANGES, PERTURBATIONS
from gleis.governance.fairness_gates import check_fairness_gate
from gleis.governance.figure_names import FAIRNESS, IMPORTANCE, ROBUSTNESS, SLICES, WORST
from gleis.governance.gate_rules import LEAKAGE, SIMPLER, Gate, parse_gates

_SECTIONS = (SLICES, FAIRNESS, ROBUSTNESS, IMPORTANCE)


def check_gates(settings: Settings) -> None:
    """Refuse gates that no evidence could ever answer.

    Parameters
    ----------
    settings : Settings
        ``[gates]``, held against the task, ``evidence.slices`` and ``fairness.protected``.

    Raises
    ------
    ConfigError
        Unreadable rule; unknown figure, perturbation, attribute or slice column. The nearest name
        is offered.

    Examples
    --------
    >>> from gleis.config.settings import ProjectSettings
    >>> project = ProjectSettings(name="p", module="p", task="binary", target="late")
    >>> check_gates(Settings(project=project, gates={"rocauc": ">= 0.6"}))
    Traceback (most recent call last):
    gleis.contracts.errors.ConfigError: gates.rocauc: a binary task has no figure of this name: \
'rocauc'. Did you mean roc_auc? Known: roc_auc, average_precision, log_loss, brier, \
expected_calibration_error, accuracy, balanced_accuracy, precision, recall, f1.
    """
    for gate in parse_gates(settings.gates):
        _check(gate, settings)


def _check(gate: Gate, settings: Settings) -> None:
    name, task = gate.name, settings.project.task
    if name in (LEAKAGE, SIMPLER):
        return
    if name in CALIBRATION_FIGURES and task == "binary":
        _check_calibration(gate)
        return
    if not name.startswith(_SECTIONS):
        find_metric(name, task, key=f"gates.{name}")
        return
    if gate.relation == "better":
        raise _error(
            gate,
            "only figures of all test rows are compared with another model",
            gate.rule,
            "Write a threshold, or ask it of all rows.",
        )
    if name.startswith(WORST):
        _check_worst(gate, task)
    elif name.startswith(SLICES):
        _check_slice(gate, task, settings.evidence.slices)
    elif name.startswith(FAIRNESS):
        check_fairness_gate(name, settings)
    elif name.startswith(ROBUSTNESS):
        _check_robustness(gate, task)


def _check_calibration(gate: Gate) -> None:
    if gate.relation == "better":
        raise _error(
            gate,
            f"it is best at {IDEALS[gate.name]:g}, neither higher nor lower is better",
            gate.rule,
            "Write a threshold.",
        )


def _check_slice(gate: Gate, task: Task, slices: Sequence[str]) -> None:
    path, _, figure = gate.name.removeprefix(SLICES).rpartition(".")
    column, _, value = path.partition(".")
    if not (column and value):
        remedy = 'Write "slices.COLUMN.VALUE.FIGURE", such as "slices.carrier.UA.roc_auc".'
        raise _error(gate, "this does not name a slice", gate.name, remedy)
    more = (CALIBRATION_GAP.name,) if task == "binary" else ()
    _check_known(gate, f"slices of a {task} task have no figure of this name", figure,
                 (*SLICE_METRICS[task], *more))  # fmt: skip
    if not any(path.startswith(f"{name}.") for name in slices):
        remedy = f"Add it under [evidence], or use one of: {', '.join(slices) or 'none yet'}."
        raise _error(gate, "the column is not in evidence.slices", column, remedy)


def _check_worst(gate: Gate, task: Task) -> None:
    known = [each for name in SLICE_METRICS[task] for each in (name, f"{name}_ratio")]
    figure = gate.name.removeprefix(WORST)
    _check_known(gate, f"the worst slice of a {task} task has no such figure", figure, known)


def _check_robustness(gate: Gate, task: Task) -> None:
    perturbation, _, figure = gate.name.removeprefix(ROBUSTNESS).rpartition(".")
    if not perturbation:
        remedy = 'Write "robustness.PERTURBATION.FIGURE": "robustness.noise_10pct.roc_auc_drop".'
        raise _error(gate, "this does not name what was done to the rows", gate.name, remedy)
    _check_known(gate, "no run damages rows in this way", perturbation, PERTURBATIONS)
    if figure not in CHANGES:
        find_metric(figure.removesuffix("_drop"), task, key=f"gates.{gate.name}")


def _check_known(gate: Gate, what: str, seen: str, known: Iterable[str]) -> None:
    listed = list(known)
    if seen in listed:
        return
    near = difflib.get_close_matches(seen, listed, n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    raise _error(gate, what, seen, f"{hint}Known: {', '.join(listed)}.")


def _error(gate: Gate, what: str, seen: str, remedy: str) -> ConfigError:
    key = f"gates.{gate.name}"
    return ConfigError(f"{key}: {what}", seen=seen, remedy=remedy, field=key)
