"""Live performance of one version: mature answers, their labels, and what is missing between."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Contract
from gleis.contracts.profile import Profile
from gleis.monitoring.labelled import read_matches
from gleis.monitoring.labels.corrected import Corrected, correct
from gleis.monitoring.labels.maturity import Maturity, sane_stamp, stamps_of
from gleis.monitoring.labels.sample import Rows, Sample, marks_of
from gleis.monitoring.labels.score_bins import make_bins
from gleis.monitoring.packing import decode_state, pack, unpack
from gleis.store.log.logged import Logged, Matched

Floats = NDArray[np.float64]

_LEAST_SHARE = 1e-6


class LivePerformance:
    """Counts a version's answers by bin of the score, and keeps a sample of its labelled rows.

    Only answers that are mature take part: labels that come early are not those of all.

    Parameters
    ----------
    maturity : Maturity
    contract : Contract
    scores : Profile
        Of the reference, for the bins.
    version : int
        Rows that another version or the fallback answered do not count.
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
        scores: Profile,
        version: int,
        state: bytes | None = None,
    ) -> None:
        self._maturity = maturity
        self._contract = contract
        self._version = version
        self._bins = make_bins(scores, contract.task)
        n_scores = len(contract.classes or ()) if contract.task == "multiclass" else 1
        self._answers: dict[int, Floats] = {}
        self._sample = Sample(n_scores)
        if state is not None:
            self._restore(state, n_scores)

    def see(self, batches: Sequence[Logged], matched: Sequence[Matched]) -> None:
        """See answers and labels, in whatever order the labels come."""
        for logged in batches:
            batch = logged.batch
            if batch.version == self._version and not batch.fallback:
                scores = np.array(batch.scores, dtype=np.float64)
                numbers = self._maturity.number(stamps_of(batch.times, batch.at))
                self._count(self._bins.code(scores), numbers, 1 / max(batch.share, _LEAST_SHARE))
        self._see_labels([m for m in matched if m.version == self._version and not m.fallback])
        if len(self._answers) > self._maturity.kept:
            oldest = sorted(self._answers)[-self._maturity.kept]
            self._answers = {n: counts for n, counts in self._answers.items() if n >= oldest}
            self._sample.forget(oldest)

    def measure(
        self, now: datetime, *, n_replicates: int = 200, names: Sequence[str] | None = None
    ) -> Corrected | None:
        """Measure the mature answers of the window; None before the first that has a label."""
        first, last = self._maturity.in_window(now)
        rows, labelled = self._sample.between(first, last)
        counts = [c for number, c in self._answers.items() if first <= number <= last]
        if not len(rows.marks) or not counts:
            return None
        kind = np.float64 if self._contract.task == "regression" else np.int64
        return correct(
            rows.targets.astype(kind),
            rows.scores,
            self._bins.code(rows.scores),
            labelled,
            np.sum(counts, axis=0),
            self._contract.task,
            shares=rows.shares,
            names=names,
            n_replicates=n_replicates,
        )

    def to_bytes(self) -> bytes:
        """Return the state; the sample is the larger part, at most some 200 KB."""
        numbers = np.array(list(self._answers), dtype=np.int64)
        counts = np.array(list(self._answers.values()), dtype=np.float64)
        content = pack({"numbers": numbers, "counts": counts})
        return msgspec.msgpack.encode((content, self._sample.to_bytes()))

    def _restore(self, state: bytes, n_scores: int) -> None:
        content, sample = decode_state(state, tuple[bytes, bytes])
        self._sample = Sample.from_bytes(sample, n_scores)
        arrays = unpack(content)
        self._answers = dict(zip(arrays["numbers"].tolist(), arrays["counts"], strict=True))

    def _count(self, codes: NDArray[np.int64], numbers: NDArray[np.int64], weight: float) -> None:
        for number in np.unique(numbers).tolist():
            counts = np.bincount(codes[numbers == number], minlength=self._bins.number)
            before: Any = self._answers.get(number, 0.0)
            self._answers[number] = before + weight * counts

    def _see_labels(self, own: Sequence[Matched]) -> None:
        read = read_matches(own, self._contract)
        if read.corrected:
            marks = marks_of(list(read.corrected)).tolist()
            self._sample.mend(dict(zip(marks, read.corrected.values(), strict=True)))
        if not read.rows.ids:
            return
        of_id = {one.prediction_id: one for one in own if not one.relabelled}
        matches = [of_id[name] for name in read.rows.ids]
        stamps = [sane_stamp(one.event_time, one.predicted_at.timestamp()) for one in matches]
        numbers = self._maturity.number(np.array(stamps))
        counted = np.isin(numbers, np.array(list(self._answers), dtype=np.int64))
        rows = Rows(
            marks_of(read.rows.ids),
            numbers,
            np.array(read.rows.targets, dtype=np.float64),
            np.array(read.rows.scores, dtype=np.float64),
            np.maximum([one.share for one in matches], _LEAST_SHARE),
            np.zeros(len(matches), dtype=np.int64),
        )
        self._sample.add(rows.take(counted))
