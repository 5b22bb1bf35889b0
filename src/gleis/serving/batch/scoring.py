"""A table on disk, scored into another: in constant memory, on all cores, taken up after a kill."""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from gleis.contracts.errors import BlockedError, ConfigError, StoreError
from gleis.serving.batch.embedded import Scorer
from gleis.serving.batch.score_journal import Job, Journal, Part
from gleis.serving.batch.scored_tables import PartScorer, ScoredPart
from gleis.serving.batch.sources import Source, in_parts, open_source
from gleis.store.growing_parquet import GrowingParquet
from gleis.store.part_folder import PartFolder

_SYNC = 1.0
"""Seconds of work that a kill may undo."""
OnProgress = Callable[[int, int | None], None]
Complete = Callable[[Source], Source]
OnPart = Callable[[int, ScoredPart], None]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a table is scored."""

    keep: tuple[str, ...] | Literal["all"] | None = None
    """Columns of the input to carry over; None: the contract's id and time, or all columns of an
    input without them."""
    on_bad: Literal["stop", "quarantine"] = "stop"
    """What becomes of rows that break the contract: an error, or a file of their own."""
    parts: bool = False
    """Write a folder of parquet files, one a part, instead of one file."""
    rows_per_part: int = 131_072
    fresh: bool = False
    """Replace what is there, and forget what an earlier job did."""


class Scoring(msgspec.Struct, frozen=True, kw_only=True):
    """What a job did, earlier turns included."""

    output: str
    sha256: str
    """Of the output; of a folder, of its files one behind the other."""
    input: str
    """Fingerprint of the input."""
    digest: str
    """Of the package."""
    version: int | None
    rows: int
    """Answered."""
    bad: int
    """Set apart because they break the contract."""
    quarantine: str | None
    """File of the bad rows."""
    fallbacks: int
    """Rows that the baseline answered in the model's place."""
    flags: dict[str, int]
    """``"distance: out of range"`` -> rows."""
    resumed_at: int
    """Rows that earlier turns of the job had read."""
    seconds: float
    """Of this turn."""


class _Outputs(NamedTuple):
    """Where a job writes."""

    journal: Journal
    good: GrowingParquet | PartFolder
    bad: GrowingParquet | None


def score_file(
    source: Path,
    target: Path,
    scorer: Scorer,
    options: Options | None = None,
    *,
    version: int | None = None,
    on_part: OnPart | None = None,
    on_progress: OnProgress = lambda rows, total: None,
    complete: Complete = lambda source: source,
) -> Scoring:
    """Score every row of a table on disk; the rows' order stays.

    A job that was stopped, or killed, goes on where it was when it is asked for again with the
    same input, package and options. The output has its name only when it is whole.

    Parameters
    ----------
    source : Path
        A parquet, CSV or Arrow file, a folder of parquet files, or a Delta table.
    target : Path
        The parquet file (or, with ``options.parts``, the folder) to be.
    scorer : Scorer
    options : Options, optional
    version : int, optional
        The registry's number of the package.
    on_part : callable, optional
        Called with the number of each part and the part, in order, before it counts as done; after
        a kill a part may come again.
    on_progress : callable, optional
        Called with the rows done and the number of all rows, if it is known.
    complete : callable, optional
        Returns the source with features that are looked up or computed.

    Raises
    ------
    InvalidRowError
        The input lacks a feature, or a row breaks the contract and none are to be set apart.
    DataError
        The input cannot be read.
    BlockedError
        The output is there, or an unfinished job with another input, package or options.
    StoreError
        The output cannot be written.
    UnavailableError
        The model and its baseline both fail.
    """
    started = time.monotonic()
    options = options or Options()
    _see_apart(source, target)
    found = complete(open_source(source))
    keep = _choose_columns(found, scorer, options.keep)
    parts = PartScorer(
        scorer,
        found.schema,
        keep,
        version=version,
        textual=found.textual,
        quarantine=options.on_bad == "quarantine",
    )
    job = Job(
        input=found.fingerprint,
        package=scorer.package.digest,
        columns=tuple(keep),
        on_bad=options.on_bad,
        parts=options.parts,
        rows_per_part=options.rows_per_part,
        logged=on_part is not None,
    )
    with closing(_Run(found, target, parts, job, options.fresh)) as run:
        resumed_at = run.rows
        run.go(on_part or (lambda number, part: None), on_progress)
        sha256 = run.finish()
        return run.tell(sha256, resumed_at, version, time.monotonic() - started)


class _Run:
    """One turn of a job."""

    def __init__(
        self, source: Source, target: Path, scorer: PartScorer, job: Job, fresh: bool
    ) -> None:
        self._source = source
        self._target = target
        self._scorer = scorer
        self._job = job
        self._quarantine = target.with_name(f"{target.stem}.bad.parquet")
        self._journal_path = target.with_name(f"{target.name}.progress")
        if fresh:
            self._journal_path.unlink(missing_ok=True)
        self._refuse_existing(fresh)
        self._pending: list[Part] = []
        self._synced = time.monotonic()
        self._outputs = self._open()

    @property
    def rows(self) -> int:
        """Rows read so far, by all turns."""
        return sum(part.rows for part in self._outputs.journal.parts)

    def go(self, on_part: OnPart, on_progress: OnProgress) -> None:
        """Score what is left."""
        done = self.rows
        number = len(self._outputs.journal.parts)
        try:
            for scored in self._scored(done):
                on_part(number, scored)
                self._keep(scored)
                done, number = done + scored.rows, number + 1
                on_progress(done, self._source.rows)
        finally:
            self._checkpoint()

    def finish(self) -> str:
        """Give the outputs their names; return the SHA-256 of the answers."""
        journal, good, bad = self._outputs
        if not journal.parts:
            self._keep(self._scorer.nothing())
            self._checkpoint()
        journal.finish()
        bad_footers = [part.bad_footer for part in journal.parts if part.bad]
        if bad is not None and bad_footers:
            bad.finish(bad_footers, {})
        elif bad is not None:
            bad.discard()
        sha256 = good.finish((part.footer for part in journal.parts), self._notes())
        journal.remove()
        return sha256

    def tell(self, sha256: str, resumed_at: int, version: int | None, seconds: float) -> Scoring:
        """Sum up the job."""
        parts = self._outputs.journal.parts
        flags: Counter[str] = Counter()
        for part in parts:
            flags.update(part.flags)
        bad = sum(part.bad for part in parts)
        return Scoring(
            output=str(self._target),
            sha256=sha256,
            input=self._job.input,
            digest=self._job.package,
            version=version,
            rows=self.rows - bad,
            bad=bad,
            quarantine=str(self._quarantine) if bad else None,
            fallbacks=sum(part.fallbacks for part in parts),
            flags=dict(flags),
            resumed_at=resumed_at,
            seconds=seconds,
        )

    def close(self) -> None:
        """Leave everything so that another turn can go on."""
        journal, good, bad = self._outputs
        for output in (good, bad, journal):
            if output is not None:
                output.close()

    def _scored(self, skip: int) -> Iterator[ScoredPart]:
        """Score parts in as many threads as there are cores; hand them out in order.

        Reading and writing happen in the caller's thread meanwhile. Only so many parts are
        under way that every thread has the next one waiting.
        """
        batches = self._source.read(self._columns(), self._scorer.texts, skip)
        workers = _cores()
        waiting: deque[Future[ScoredPart]] = deque()
        with ThreadPoolExecutor(workers, "gleis-score") as pool:
            try:
                for part in in_parts(batches, self._job.rows_per_part):
                    waiting.append(pool.submit(self._scorer.score, part, skip))
                    skip += part.num_rows
                    if len(waiting) > workers + 1:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                pool.shutdown(cancel_futures=True)

    def _columns(self) -> Sequence[str]:
        """Return the columns to read: of a quarantine all, for bad rows go there whole."""
        if self._job.on_bad == "quarantine":
            return [*self._source.schema.names]
        wanted = {*self._job.columns, *self._scorer.inputs}
        return [name for name in self._source.schema.names if name in wanted]

    def _keep(self, scored: ScoredPart) -> None:
        _, good, bad = self._outputs
        footer = good.append(scored.content)
        bad_footer = b""
        if scored.bad is not None and bad is not None:
            bad_footer = bad.append(scored.bad)
        self._pending.append(
            Part(
                rows=scored.rows,
                bad=scored.wrong,
                fallbacks=int(scored.scored.fallback.sum()),
                flags={flag: len(rows) for flag, rows in scored.checked.flags.items()},
                size=good.size,
                footer=footer,
                bad_size=0 if bad is None else bad.size,
                bad_footer=bad_footer,
            )
        )
        if time.monotonic() - self._synced > _SYNC:
            self._checkpoint()

    def _checkpoint(self) -> None:
        """Note what was appended, once it is on disk."""
        journal, good, bad = self._outputs
        if self._pending:
            good.sync()
            if bad is not None:
                bad.sync()
            journal.add(self._pending)
            self._pending = []
        self._synced = time.monotonic()

    def _open(self) -> _Outputs:
        journal = Journal(self._journal_path, self._job)
        last = journal.parts[-1] if journal.parts else Part(rows=0)
        good: GrowingParquet | PartFolder
        if self._job.parts:
            good = PartFolder(self._target, last.size, self._notes())
        else:
            good = GrowingParquet(self._target, last.size, named=journal.finishing)
        bad = None
        if self._job.on_bad == "quarantine":
            bad = GrowingParquet(self._quarantine, last.bad_size, named=journal.finishing)
        return _Outputs(journal, good, bad)

    def _refuse_existing(self, fresh: bool) -> None:
        """See that nobody's file is replaced unasked."""
        there = any(self._target.iterdir()) if self._target.is_dir() else self._target.exists()
        if there and not fresh and not self._journal_path.exists():
            raise BlockedError(
                "The output is there already",
                seen=str(self._target),
                remedy="Name another one, or replace it: --fresh.",
            )
        if self._target.is_dir() != self._job.parts and self._target.exists():
            raise BlockedError(
                "The output is a folder" if self._target.is_dir() else "The output is a file",
                seen=str(self._target),
                remedy="Name another one; folders are written with --parts.",
            )

    def _notes(self) -> dict[str, str]:
        return {**self._scorer.notes, "gleis.input": self._job.input}


def _choose_columns(
    source: Source, scorer: Scorer, keep: tuple[str, ...] | Literal["all"] | None
) -> list[str]:
    names: list[str] = source.schema.names
    if keep is None:
        carried = [name for name in (scorer.contract.id, scorer.contract.time) if name in names]
        return [*dict.fromkeys(map(str, carried))] or names
    return names if keep == "all" else [*keep]


def _see_apart(source: Path, target: Path) -> None:
    inside = source.is_dir() and target.resolve().is_relative_to(source.resolve())
    if inside or target.resolve() == source.resolve():
        raise ConfigError(
            "The output would be part of the input",
            seen=str(target),
            remedy="Name an output elsewhere.",
        )
    if not target.parent.is_dir():
        raise StoreError(
            "The folder of the output is not there", seen=str(target.parent), remedy="Make it."
        )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
