"""Which group each served row belongs to, and each label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Contract
from gleis.lifecycle.maturing import read_maturity
from gleis.lifecycle.protected import Protected
from gleis.lifecycle.workbench import Workbench
from gleis.monitoring.labelled import read_matches
from gleis.monitoring.labels.maturity import sane_stamp, stamps_of
from gleis.monitoring.labels.people import People
from gleis.store.log.ids import parse_id
from gleis.store.log.logged import Logged, Matched

Codes = NDArray[np.int64]

_ENTRIES = 20_000
"""Log entries whose groups are remembered; those of others are read again when a label comes."""


class ServedGroups:
    """Hands answers and labels of one version to `People`, with their groups.

    A label names a prediction, whose row the log holds: what is not remembered is read again.

    Parameters
    ----------
    bench : Workbench
    contract : Contract
    version : int
        Only what this version itself answered counts.
    """

    def __init__(self, bench: Workbench, contract: Contract, version: int) -> None:
        self._log = bench.home.log
        self._contract = contract
        self._version = version
        self._protected = Protected(bench, contract)
        self._maturity = read_maturity(bench)
        self._of_entry: dict[int, Codes] = {}

    def see(self, people: People, batches: Sequence[Logged], matched: Sequence[Matched]) -> None:
        """Hand on what is new; labels may come in any order."""
        self._remember(people, batches)
        for logged in batches:
            batch = logged.batch
            if batch.version == self._version and not batch.fallback:
                groups = self._of_entry[logged.seq][logged.offset : logged.offset + batch.rows]
                numbers = self._maturity.number(stamps_of(batch.times, batch.at))
                people.see_answers(groups, np.array(batch.scores, dtype=np.float64), numbers)
        own = [m for m in matched if m.version == self._version and not m.fallback]
        if own:
            self._see_labels(people, own)
        while len(self._of_entry) > _ENTRIES:
            del self._of_entry[next(iter(self._of_entry))]

    def _see_labels(self, people: People, own: Sequence[Matched]) -> None:
        read = read_matches(own, self._contract)
        people.mend(read.corrected)
        if not read.rows.ids:
            return
        of_id = {one.prediction_id: one for one in own if not one.relabelled}
        matches = [of_id[name] for name in read.rows.ids]
        places = [parse_id(name) or (0, 0, "") for name in read.rows.ids]
        missing = sorted({seq for seq, _, _ in places} - self._of_entry.keys())
        again = [logged for seq in missing for logged in self._log.read(seq - 1, 1)]
        self._remember(people, again)
        groups = np.array([self._of_entry[seq][position] for seq, position, _ in places])
        stamps = [sane_stamp(one.event_time, one.predicted_at.timestamp()) for one in matches]
        people.see_labels(
            read.rows.ids,
            groups,
            np.array(read.rows.targets, dtype=np.float64),
            np.array(read.rows.scores, dtype=np.float64),
            self._maturity.number(np.array(stamps)),
        )

    def _remember(self, people: People, batches: Sequence[Logged]) -> None:
        if not batches:
            return
        frame, known = self._protected.of([logged.batch for logged in batches])
        codes, at = people.groups_of(frame, known), 0
        parts: dict[int, list[Codes]] = {}
        for logged in batches:
            parts.setdefault(logged.seq, []).append(codes[at : at + logged.batch.rows])
            at += logged.batch.rows
        self._of_entry |= {seq: np.concatenate(of_entry) for seq, of_entry in parts.items()}
