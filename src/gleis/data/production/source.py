"""The prediction log as a source of rows: ``from = "log"``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from gleis.contracts.clock import Clock
from gleis.data.production.cursor import read_cursor, write_cursor
from gleis.data.production.gather import Gathered, gather_answers
from gleis.data.sources.source import Notes, Part, Portion, Taken
from gleis.store.log.log_store import LogStore

if TYPE_CHECKING:
    from gleis.config.settings import ProjectSettings
    from gleis.contracts.dataset import DatasetVersion


_HOUR = timedelta(hours=1)


class AnsweredSource:
    """Answers whose labels have matured; see ``gather_answers``.

    Parameters
    ----------
    log : LogStore
    project : ProjectSettings
        Names id, time and target.
    own : callable () -> DatasetVersion or None
        The newest version of the project's own dataset, whose types rows take.
    matures : timedelta
        After which time a label has come or will not.
    least : int
        Fewer labelled answers wait for more.
    clock : Clock
    """

    def __init__(
        self,
        log: LogStore,
        project: ProjectSettings,
        own: Callable[[], DatasetVersion | None],
        matures: timedelta,
        least: int,
        clock: Clock,
    ) -> None:
        self._log = log
        self._project = project
        self._own = own
        self._matures = matures
        self._least = least
        self._clock = clock

    def read(self, taken: Taken, notes: Notes) -> Iterator[Portion]:
        """Return what has matured since the last version, if it is enough."""
        own = self._own()
        before = None if taken.cursor is None else read_cursor(taken.cursor)
        types = {} if own is None else own.columns
        found = gather_answers(
            self._log, self._project, types, self._matures, before, self._clock.now()
        )
        if found.rows.height < max(1, self._least):
            notes.leave("the prediction log", self._waits(found))
        else:
            yield Portion(
                parts=(Part(frame=found.rows),),
                cursor=write_cursor(found.cursor),
                note=found.note,
            )

    def _waits(self, found: Gathered) -> str:
        """Say why there is no version yet."""
        if not found.answers:
            hours = f"{self._matures / _HOUR:,.6g} h"
            return f"no answer has matured since; each waits {hours} for its label"
        least = f"a version takes {self._least:,} (at_least)"
        return f"{found.note} that matured since; {least if self._least > 1 else 'one is enough'}"
