"""Fairness of a version's answers in production: the evidence's own figures, on what was served."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.config.settings import FairnessSettings
from gleis.contracts.contract import Contract
from gleis.contracts.errors import ConfigError
from gleis.contracts.fairness import AttributeFairness, Fairness
from gleis.evidence.decisions import decide
from gleis.evidence.fairness.find import find_fairness
from gleis.evidence.fairness.groups import MAX_GROUPS, MAX_VALUES, read_groups
from gleis.evidence.slices import MISSING
from gleis.monitoring.labels.maturity import Maturity, Numbers
from gleis.monitoring.labels.sample import Rows, Sample, marks_of
from gleis.monitoring.packing import decode_state, pack, unpack

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

UNKNOWN = -1
"""Group of a row whose protected values nobody knows."""
_MOST = 100_000
"""Answers that are compared at once; of more, each stands for several."""
_UNEQUAL = 0.1


class LiveFound(NamedTuple):
    """What is known about the treatment of groups in production."""

    answered: Fairness | None
    """From all answers of the window: what needs no label, such as selection rates."""
    labelled: Fairness | None
    """From those of them that are mature and have a label."""
    rows: int
    """Answers of the window whose group is known."""
    unknown: int
    """Answers of the window whose group is not."""
    labelled_rows: int
    notes: tuple[str, ...]

    def figures(self) -> Fairness | None:
        """Return both as one: what needs no label is from all answers."""
        if self.labelled is None or self.answered is None:
            return self.labelled or self.answered
        free = {each.name: each for each in self.answered.attributes}
        return msgspec.structs.replace(
            self.labelled,
            attributes=tuple(_join(each, free.get(each.name)) for each in self.labelled.attributes),
        )


class _State(msgspec.Struct, frozen=True):
    names: list[tuple[str, ...]]
    cells: bytes
    unknown: dict[int, int]
    sample: bytes


class People:
    """Counts answers by finest group and decision, and keeps a sample of labelled ones.

    Parameters
    ----------
    maturity : Maturity
    contract : Contract
    settings : FairnessSettings
        ``protected`` names the columns whose values are known at all.
    state : bytes, optional
        From `to_bytes`.

    Raises
    ------
    StoreError
        If the bytes are damaged.
    """

    def __init__(
        self,
        maturity: Maturity,
        contract: Contract,
        settings: FairnessSettings,
        state: bytes | None = None,
    ) -> None:
        self._maturity = maturity
        self._contract = contract
        self._settings = settings
        # Values are written as the names of their bands, which need not be cut again.
        self._named = msgspec.structs.replace(settings, bands={})
        self._names: list[tuple[str, ...]] = []
        self._code: dict[tuple[str, ...], int] = {}
        self._cells: dict[tuple[int, int, int], int] = {}
        self._unknown: dict[int, int] = {}
        self._trouble = ""
        self._n_scores = len(contract.classes or ()) if contract.task == "multiclass" else 1
        self._sample = Sample(self._n_scores)
        if state is not None:
            self._restore(state)

    def groups_of(self, protected: pl.DataFrame, known: NDArray[np.bool_]) -> Codes:
        """Return the finest group of each row, (n_rows,); `UNKNOWN` where ``known`` is False.

        Parameters
        ----------
        protected : polars.DataFrame
            Holds the columns of ``settings.protected``.
        known : ndarray of bool, (n_rows,)
        """
        codes = np.full(protected.height, UNKNOWN, dtype=np.int64)
        rows = protected.filter(pl.Series(known)).select(self._settings.protected)
        if rows.is_empty():
            return codes
        empty = [name for name in rows.columns if rows[name].null_count() == rows.height]
        rows = rows.with_columns(pl.lit(MISSING).alias(name) for name in empty)
        try:
            groups = read_groups(rows, self._settings)
        except ConfigError as error:  # a client may send what it likes: said, and watched on
            self._trouble = str(error)
            return codes
        finest = groups.partitions[-1]
        own = [self._number(finest.names[group]) for group in finest.of_finest]
        codes[known] = np.array(own, dtype=np.int64)[groups.codes]
        return codes

    def see_answers(self, groups: Codes, scores: Floats, stretches: Numbers) -> None:
        """Count answers by their groups and decisions; all arrays are n_rows long."""
        known = groups != UNKNOWN
        for number, many in zip(*np.unique(stretches[~known], return_counts=True), strict=True):
            self._unknown[int(number)] = self._unknown.get(int(number), 0) + int(many)
        if self._contract.task != "regression":
            cells = np.stack((stretches[known], groups[known], decide(scores)[known]), axis=1)
        else:
            cells = np.stack((stretches[known], groups[known], 0 * groups[known]), axis=1)
        for cell, many in zip(*np.unique(cells, axis=0, return_counts=True), strict=True):
            place = (int(cell[0]), int(cell[1]), int(cell[2]))
            self._cells[place] = self._cells.get(place, 0) + int(many)
        self._forget()

    def see_labels(
        self, ids: Sequence[str], groups: Codes, targets: Floats, scores: Floats, stretches: Numbers
    ) -> None:
        """See answers whose first label came, in any order; all n_rows long."""
        known = groups != UNKNOWN
        rows = Rows(marks_of(ids), stretches, targets, scores, np.ones(len(ids)), groups)
        self._sample.add(rows.take(known))

    def mend(self, corrected: dict[str, float]) -> None:
        """Correct targets by prediction id."""
        if corrected:
            marks = marks_of(list(corrected)).tolist()
            self._sample.mend(dict(zip(marks, corrected.values(), strict=True)))

    def find(self, now: datetime, *, n_replicates: int = 200, level: float = 0.95) -> LiveFound:
        """Compare groups over the window; what nobody can know is absent."""
        first, last = self._maturity.in_window(now)
        newest = int(self._maturity.number(np.array([now.timestamp()]))[0])
        counts = self._counts(newest - (last - first), newest)
        rows, stands = self._sample.between(first, last)
        labelled = None
        if len(rows.marks) > 1:
            kind = np.float64 if self._contract.task == "regression" else np.int64
            labelled = self._compare(
                rows.targets.astype(kind), rows.scores, rows.groups, n_replicates, level
            )
        unknown = sum(n for s, n in self._unknown.items() if newest - (last - first) <= s <= newest)
        known = int(sum(counts.values()))
        return LiveFound(
            answered=self._selected(counts, n_replicates, level),
            labelled=labelled,
            rows=known,
            unknown=unknown,
            labelled_rows=round(float(stands.sum())),
            notes=tuple(self._notes(known, unknown, rows, stands, self._counts(first, last))),
        )

    def to_bytes(self) -> bytes:
        """Return the state, at most some 300 KB."""
        cells = [(*place, many) for place, many in self._cells.items()]
        content = pack({"cells": np.array(cells, dtype=np.int64).reshape(-1, 4)})
        state = _State(self._names, content, self._unknown, self._sample.to_bytes())
        return msgspec.msgpack.encode(state)

    def _restore(self, state: bytes) -> None:
        kept = decode_state(state, _State)
        self._sample = Sample.from_bytes(kept.sample, self._n_scores)
        self._names = kept.names
        self._code = {name: code for code, name in enumerate(kept.names)}
        self._unknown = kept.unknown
        cells = unpack(kept.cells)["cells"].tolist()
        self._cells = {(a, b, c): many for a, b, c, many in cells}

    def _number(self, name: tuple[str, ...]) -> int:
        code = self._code.get(name)
        if code is None:
            if len(self._names) >= MAX_GROUPS or self._has_too_many_values(name):
                self._trouble = "There are more groups than can be compared"
                return UNKNOWN
            code = self._code[name] = len(self._names)
            self._names.append(name)
        return code

    def _has_too_many_values(self, name: tuple[str, ...]) -> bool:
        columns = list(zip(*self._names, name, strict=True))
        return any(len(set(values)) > MAX_VALUES for values in columns)

    def _forget(self) -> None:
        stretches = {stretch for stretch, _, _ in self._cells}
        if len(stretches) > self._maturity.kept:
            oldest = sorted(stretches)[-self._maturity.kept]
            self._cells = {cell: many for cell, many in self._cells.items() if cell[0] >= oldest}
            self._unknown = {s: many for s, many in self._unknown.items() if s >= oldest}
            self._sample.forget(oldest)

    def _counts(self, first: int, last: int) -> dict[tuple[int, int], int]:
        """Answers by group and decision."""
        counts: dict[tuple[int, int], int] = {}
        for (stretch, group, decision), many in self._cells.items():
            if first <= stretch <= last:
                counts[group, decision] = counts.get((group, decision), 0) + many
        return counts

    def _selected(
        self, counts: dict[tuple[int, int], int], n_replicates: int, level: float
    ) -> Fairness | None:
        """Compare decisions alone: they stand in for the outcomes, which nobody looks at."""
        if self._contract.task == "regression" or sum(counts.values()) < 2:
            return None
        part = min(1.0, _MOST / sum(counts.values()))
        many = [max(1, round(rows * part)) for rows in counts.values()]
        groups, decisions = (np.repeat([cell[i] for cell in counts], many) for i in (0, 1))
        n_classes = self._n_scores
        scores = decisions.astype(np.float64) if n_classes == 1 else np.eye(n_classes)[decisions]
        found = self._compare(decisions, scores, groups, n_replicates, level)
        kept = tuple(
            msgspec.structs.replace(
                each,
                figures={k: f for k, f in each.figures.items() if _needs_no_label(k)},
                groups=tuple(
                    msgspec.structs.replace(
                        group,
                        figures={k: f for k, f in group.figures.items() if _needs_no_label(k)},
                    )
                    for group in each.groups
                ),
            )
            for each in found.attributes
        )
        return Fairness(min_group=found.min_group, attributes=kept)

    def _compare(
        self,
        y: NDArray[np.generic],
        scores: Floats,
        groups: Codes,
        n_replicates: int,
        level: float,
    ) -> Fairness:
        names = np.array(self._names, dtype=object).reshape(len(self._names), -1)
        columns = {
            column: pl.Series(names[groups, i].tolist(), dtype=pl.String)
            for i, column in enumerate(self._settings.protected)
        }
        return find_fairness(
            y,
            scores,
            pl.DataFrame(columns),
            self._contract.task,
            self._named,
            classes=self._contract.classes,
            n_replicates=n_replicates,
            level=level,
        )

    def _notes(
        self,
        known: int,
        unknown: int,
        rows: Rows,
        stands: Floats,
        mature: dict[tuple[int, int], int],
    ) -> Iterator[str]:
        if self._trouble:
            yield f"Some answers belong to no group: {self._trouble}"
        if unknown:
            yield (
                f"The group of {unknown:,} of {known + unknown:,} answers is unknown: neither the "
                f"request nor the data under its id says {', '.join(self._settings.protected)}."
            )
        answered = np.zeros(len(self._names))
        for (group, _), many in mature.items():
            answered[group] += many
        labelled = np.bincount(rows.groups, stands, len(self._names))
        large = np.flatnonzero(answered >= self._settings.min_group)
        if len(large) < 2 or not labelled.any():
            return
        shares = np.minimum(labelled[large] / answered[large], 1.0)
        low, high = int(shares.argmin()), int(shares.argmax())
        if shares[high] - shares[low] > _UNEQUAL:
            yield (
                f"Labels came for {shares[low]:.0%} of the answers of "
                f"{'*'.join(self._names[large[low]])} and {shares[high]:.0%} of those of "
                f"{'*'.join(self._names[large[high]])}: figures that need labels speak of labelled "
                "answers only."
            )


def _needs_no_label(name: str) -> bool:
    return "statistical_parity" in name or name in ("selection_rate", "differential_fairness")


def _join(labelled: AttributeFairness, free: AttributeFairness | None) -> AttributeFairness:
    if free is None:
        return labelled
    rates = {group.values: group.figures for group in free.groups}
    needed = {k: f for k, f in labelled.figures.items() if not _needs_no_label(k)}
    return msgspec.structs.replace(
        labelled,
        figures=free.figures | needed,
        groups=tuple(
            msgspec.structs.replace(group, figures=group.figures | rates.get(group.values, {}))
            for group in labelled.groups
        ),
    )
