"""A prediction log, wherever it is kept: what is read from it, and what a backend has to write."""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

import msgspec

from gleis.contracts.prediction import Batch, Label, LabelReceipt
from gleis.store.log import consumed
from gleis.store.log.answered import Answered, entries_behind
from gleis.store.log.entries import (
    ANSWERS,
    BATCHES,
    decode_entry,
    logged_batches,
    match_row,
    rows_of,
)
from gleis.store.log.erasing import Erased
from gleis.store.log.ids import parse_id
from gleis.store.log.logged import GivenLabel, LogCounts, Logged, LoggedRow, Matched
from gleis.store.moments import from_micros, to_micros


class LogStore(Answered):
    """Predictions and labels: what is read is the same whatever database holds them.

    Entries have numbers in the order of their commits, so that who reads on behind the last one
    it saw misses none, whoever writes meanwhile.

    Parameters
    ----------
    rows : callable
        Asks the database. What it returns stays, whatever happens to the machine.
    queries : LogQueries
        In the words of the database.
    where : str
        Names it in errors.

    Raises
    ------
    StoreError
        In every method: the database fails. What was acknowledged before stays.
    """

    @abstractmethod
    def append(self, batches: Sequence[Batch]) -> list[list[str]]:
        """Write batches in one commit; return their prediction ids once they are on disk.

        Raises
        ------
        DataError
            A list of a batch is not ``rows`` long, or holds what cannot be written. Nothing was.
        StoreError
            Nothing was written, or it says that nobody knows.
        """

    @abstractmethod
    def append_from(
        self, spans: Sequence[consumed.Span], batches: Sequence[Batch]
    ) -> list[list[str]] | None:
        """Write batches and how far their sources are consumed, in one commit.

        So a message has one record, however often it is delivered and whoever was killed.

        Parameters
        ----------
        spans : sequence of Span
            Each of another source.
        batches : sequence of Batch
            Their rows are the answered messages of the spans; none if all were set aside.

        Returns
        -------
        list of list of str, or None
            Prediction ids of each batch. None if somebody else consumed one of the sources
            meanwhile: nothing was written, ask for its position.

        Raises
        ------
        DataError, StoreError
            As ``append``; nothing was written.
        """

    @abstractmethod
    def label(self, labels: Sequence[Label], received: datetime) -> LabelReceipt:
        """Write labels in one commit; all are kept.

        A label that names a prediction id belongs to that prediction; one that names only an
        entity belongs to the latest prediction of that entity. Where the prediction is not in the
        log, the label waits for it, and the receipt's ``unknown`` names the id (or entity).

        Raises
        ------
        DataError
            A label names neither; nothing was written.
        StoreError
            Nothing was written, or it says that nobody knows.
        """

    @abstractmethod
    def catch_up(self, rows: int = 20_000) -> bool:
        """Prepare for labels by entity: look through so many rows written since the last one.

        ``label`` does it by itself; who calls it before may write predictions in between.

        Returns
        -------
        bool
            True if more wait to be looked through.
        """

    @abstractmethod
    def erase(self, entities: Collection[str], prediction_ids: Collection[str] = ()) -> Erased:
        """Take out what answers say of a person; counts, numbers, ids and cursors stay.

        See ``log_erasing`` for what goes. It may be repeated: after an error, ask again.

        Parameters
        ----------
        entities : collection of str
            The project's own ids of rows: all their answers and labels are concerned. In the log
            of shadows they are the ids of the predictions given out.
        prediction_ids : collection of str
            More answers; those that are not in the log are passed over.
        """

    @abstractmethod
    def size(self) -> int:
        """Return its bytes on disk."""

    @abstractmethod
    def close(self) -> None:
        """Close the database."""

    def position(self, source: str) -> int | None:
        """Return the first offset of a source that is not consumed yet; None if none ever was."""
        if not self._rows(self._queries.streams, ()):
            return None
        found: int | None = self._rows(self._queries.position, (source,))[0][0]
        return found

    def consumed_since(self, source: str, offset: int) -> Iterator[tuple[int, str, Batch, int]]:
        """Return the answers to messages of a source from an offset on.

        Yields
        ------
        offset : int
        prediction_id : str
        batch : Batch
            Holds the answer,
        row : int
            in this row.
        """
        if not self._rows(self._queries.streams, ()):
            return
        for head in self._rows(self._queries.consumed, (source, offset)):
            logged = self.read(head[0] - 1, 1)
            rows = [(id_, one.batch, at) for one in logged for at, id_ in enumerate(one.ids)]
            for place in consumed.places(*head):
                if place.offset >= offset:
                    yield (place.offset, *rows[place.position])

    def read(self, after: int = 0, limit_rows: int = 10_000) -> list[Logged]:
        """Return batches in the order they were written.

        Parameters
        ----------
        after : int
            Only entries behind this ``seq``: pass the last one seen.
        limit_rows : int
            Stop with the entry that reaches so many rows; at least one entry comes.
        """
        return [
            logged
            for seq, token, content in entries_behind(self._rows, self._queries, after, limit_rows)
            for logged in logged_batches(
                seq, token, decode_entry(BATCHES, seq, content, self._where)
            )
        ]

    def flagged(
        self, flag: str, after: int = 0, limit_rows: int = 10_000
    ) -> tuple[int, list[Logged]]:
        """Return batches that raised a flag, of entries behind one; others are not decoded.

        Parameters
        ----------
        flag : str
        after, limit_rows : int
            As for ``read``.

        Returns
        -------
        int
            The last entry looked at: where to read on; ``after`` if there was none behind.
        list of Logged
        """
        name, last = flag.encode(), after
        found: list[Logged] = []
        for seq, token, content in entries_behind(self._rows, self._queries, after, limit_rows):
            last = seq
            if name in content:  # perhaps in a feature's value only
                batches = decode_entry(BATCHES, seq, content, self._where)
                found += [
                    one for one in logged_batches(seq, token, batches) if flag in one.batch.flags
                ]
        return last, found

    def matched(self, after: int = 0, limit: int = 10_000) -> list[Matched]:
        """Return predictions joined with their labels, in the order the joins happened.

        A prediction labelled again comes again, with ``relabelled`` set: the later value counts.

        Parameters
        ----------
        after : int
            Only matches behind this cursor.
        limit : int
            At most so many.
        """
        of_entry = defaultdict(list)
        for row in self._rows(self._queries.matched, (after, limit)):
            of_entry[row[1]].append(row)
        found = []
        for seq, rows in of_entry.items():
            entries = self._rows(self._queries.content, (seq,))
            answered = rows_of(decode_entry(ANSWERS, seq, entries[0][0], self._where))
            found += [match_row(row, *answered[row[2]]) for row in rows]
        return sorted(found, key=lambda match: match.cursor)

    def find(self, prediction_id: str) -> LoggedRow | None:
        """Return all that is known about one prediction; None if the log does not hold it."""
        parsed = parse_id(prediction_id)
        if parsed is None:
            return None
        seq, position, token = parsed
        entries = self._rows(self._queries.found, (seq, token, position))
        if not entries:
            return None
        batch, row = rows_of(decode_entry(BATCHES, seq, entries[0][0], self._where))[position]
        erased = row in batch.erased
        given = self._rows(self._queries.labels_of, (seq, position))
        return LoggedRow(
            prediction_id=prediction_id,
            at=batch.at,
            version=batch.version,
            digest=batch.digest,
            fallback=batch.fallback,
            features={name: values[row] for name, values in batch.features.items()},
            score=batch.scores[row],
            entity=batch.entities[row],
            event_time=batch.times[row],
            flags=[flag for flag, rows in batch.flags.items() if row in rows],
            labels=[
                GivenLabel(msgspec.json.decode(value), from_micros(at), from_micros(received))
                for value, at, received in given
            ],
            outlier=None if batch.outliers is None or erased else batch.outliers[row],
            erased=erased,
        )

    def labelled(self, prediction_ids: Sequence[str]) -> set[str]:
        """Return those of some predictions that have a label."""
        asked = [(name, *found) for name in prediction_ids if (found := parse_id(name))]
        rows = self._rows(self._queries.labelled, (msgspec.json.encode(asked).decode(),))
        return {name for (name,) in rows}

    def counts(self) -> LogCounts:
        """Return how many of each the log holds, from running totals."""
        return LogCounts(*self._rows(self._queries.counts, ())[0])

    def end(self) -> int:
        """Return the ``seq`` of the newest entry; 0 if there is none."""
        return int(self._rows(self._queries.end, ())[0][0])

    def since(self, moment: datetime) -> tuple[int, int]:
        """Return where to read on for what was answered from ``moment`` on.

        Returns
        -------
        after : int
            For ``read``.
        cursor : int
            For ``matched``.
        """
        after, cursor = self._rows(self._queries.since, (to_micros(moment),))[0]
        return int(after), int(cursor)

    def behind(self, after: int) -> int:
        """Return how many rows were written behind an entry."""
        return int(self._rows(self._queries.behind, (after,))[0][0])

    def tail(self, rows: int) -> int:
        """Return the entry behind which at most ``rows`` rows, the newest, were written."""
        return int(self._rows(self._queries.tail, (rows,))[0][0])
