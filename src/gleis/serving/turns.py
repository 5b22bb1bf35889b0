"""Requests that arrive in one turn of the event loop are answered together."""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import NamedTuple, Protocol

from gleis.contracts.prediction import Batch, Role
from gleis.serving.answers import Answer
from gleis.serving.deadline import Deadline
from gleis.serving.metrics import Metrics
from gleis.serving.rows import Rows
from gleis.serving.service import Part, Service, Told
from gleis.serving.typed import Typed
from gleis.store.log.group_commit import GroupCommit

_log = logging.getLogger(__name__)
_LARGE = 500
"""Rows of a request from which on it is worked on beside the event loop."""
_TOGETHER = 20_000
"""Rows that one call of a model beside the event loop gets at most."""


class Group(NamedTuple):
    """Rows of one turn that one service answers together."""

    service: Service
    positions: Sequence[int] | None = None
    """Positions of the rows within the turn, increasing; None means all of them."""
    role: Role = "champion"
    """Why this service sees them; a shadow sees none here, it reads the log afterwards."""
    share: float = 1.0
    """Probability with which such rows are given to this service (its propensity)."""


class Router(Protocol):
    """Splits the rows of a turn over services."""

    def split(self, champion: Service, entities: Sequence[str | None]) -> Sequence[Group]:
        """Say who answers which rows.

        Called once a turn on the event loop, after the rows were checked against the champion's
        contract: it must be quick, and every service it names must take the same features.

        Parameters
        ----------
        champion : Service
            The one that answers now.
        entities : sequence of str or None, (n_rows,)
            The project's own id of each row, where the request carried it.

        Returns
        -------
        sequence of Group
            Every row in exactly one group.
        """
        ...

    def answered(self, batch: Batch) -> None:
        """Hear what a group answered, once its record is on disk; called on the event loop."""
        ...


class Waiter(Protocol):
    """Who waits for the answers to a request: a future, or a connection that writes them out."""

    def done(self) -> bool:
        """Say whether it has been told, or has gone."""
        ...

    def set_result(self, answers: list[Answer], /) -> None:
        """Take the answers, (n_rows,); their record is on disk."""
        ...

    def set_exception(self, error: BaseException, /) -> None:
        """Hear that there will be none."""
        ...


class Turns:
    """Gathers requests until the end of the loop's turn, then answers them in one go.

    One model call, one record for the log, one wake-up for all that arrived together; no timer,
    so a lone request waits for nobody. A model that is not quick is asked in a thread, with a
    deadline, while the next requests gather.

    Parameters
    ----------
    commits : GroupCommit
    metrics : Metrics
    router : Router
    timeout : float
        Seconds a model may take before its baseline answers.
    """

    def __init__(
        self, commits: GroupCommit, metrics: Metrics, router: Router, timeout: float
    ) -> None:
        self._commits = commits
        self._metrics = metrics
        self._router = router
        self._timeout = timeout
        self._champion: Service | None = None
        self._asked: list[_Asked] = []
        self._lanes: dict[Service, _Lane] = {}

    def ask(self, champion: Service, item: Typed | Rows) -> asyncio.Future[list[Answer]]:
        """Let a checked request take part in this turn.

        Parameters
        ----------
        champion : Service
            Whose contract it was checked against.
        item : object of ``champion.typed``, or Rows

        Returns
        -------
        Future of list of Answer, (n_rows,)
            Done once its record is on disk. It raises UnavailableError if nobody can answer,
            StoreError if the log cannot be written.
        """
        future: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()
        self.tell(champion, item, future)
        return future

    def tell(self, champion: Service, item: Typed | Rows, waiter: Waiter) -> None:
        """Let a checked request take part in this turn; tell its answers to ``waiter``."""
        if champion is not self._champion:
            if self._asked:  # another champion since this turn began: its rows are its own
                self._end()
            self._champion = champion
        if not self._asked:
            asyncio.get_running_loop().call_soon(self._end)
        self._asked.append((waiter, item, perf_counter()))

    def _end(self) -> None:
        """Answer what has gathered."""
        asked, champion = self._asked, self._champion
        if not asked or champion is None:
            return
        self._asked = []
        try:
            turn, rows = _gather(asked, champion)
            groups = self._router.split(champion, rows.entities)
            for group in groups:
                places = group.positions
                if places is not None and not len(places):
                    continue
                job = _Job(turn, rows if places is None else rows.take(places), group)
                self._submit(job)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            for future, _, _ in asked:
                _fail(future, error)

    def _submit(self, job: _Job) -> None:
        service = job.group.service
        if service.quick and job.rows.count < _LARGE:
            try:
                parts = service.answers(job.rows, job.ends, job.told)
            except Exception as error:  # noqa: BLE001 - as above
                job.turn.fail(job.group.positions, error)
            else:
                self._log([job], parts)
            return
        self._lane(service).put(job)

    def _lane(self, service: Service) -> _Lane:
        lane = self._lanes.get(service)
        if lane is None:
            idle = [other for other, lane in self._lanes.items() if not lane.waiting]
            for other in idle:  # services that were exchanged since
                del self._lanes[other]
            lane = self._lanes[service] = _Lane(service, self._timeout, self._log)
        return lane

    def _log(self, jobs: Sequence[_Job], parts: Sequence[Part]) -> None:
        """Have the parts' records written, and answer then."""
        try:
            self._commits.write([part.batch for part in parts], _Written(self._give, jobs, parts))
        except Exception as error:  # noqa: BLE001 - as above
            _fail_jobs(jobs, error)

    def _give(self, jobs: Sequence[_Job], parts: Sequence[Part], ids: Sequence[list[str]]) -> None:
        service, seconds = jobs[0].group.service, list[float]()
        rendered = [
            service.render(part.batch, of_part) for part, of_part in zip(parts, ids, strict=True)
        ]
        answers = _in_order(parts, rendered)
        start = 0
        for job in jobs:
            end = start + job.rows.count
            seconds += job.turn.give(job.group.positions, answers[start:end])
            start = end
        batches = [part.batch for part in parts]
        self._metrics.answered(batches, seconds, service)
        for job in jobs:
            self._metrics.saw(service, job.rows)
        for batch in batches:
            self._router.answered(batch)


_Give = Callable[[Sequence["_Job"], Sequence[Part], Sequence[list[str]]], None]
_Asked = tuple[Waiter, "Typed | Rows", float]


class _Written:
    """Parts whose records are being written, and who is answered once they are on disk."""

    __slots__ = ("_give", "_jobs", "_parts")

    def __init__(self, give: _Give, jobs: Sequence[_Job], parts: Sequence[Part]) -> None:
        self._give, self._jobs, self._parts = give, jobs, parts

    def done(self) -> bool:
        return False

    def set_result(self, ids: Sequence[list[str]]) -> None:
        try:
            self._give(self._jobs, self._parts, ids)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            _fail_jobs(self._jobs, error)

    def set_exception(self, error: BaseException) -> None:
        _fail_jobs(self._jobs, error)


class _Turn:
    """Requests that arrived together, and which of their rows are still to be answered."""

    __slots__ = ("_answers", "_asked", "_missing", "ends")

    def __init__(self, asked: Sequence[_Asked], ends: Sequence[int]) -> None:
        self.ends = ends
        """Where each request ends among the turn's rows."""
        self._asked = asked
        self._answers: list[Answer | None] | None = None
        self._missing: list[int] = []

    def give(self, places: Sequence[int] | None, answers: list[Answer]) -> list[float]:
        """Answer rows; return the seconds of requests that have all their answers now."""
        now = perf_counter()
        if places is None:
            start, seconds = 0, []
            for (future, _, started), end in zip(self._asked, self.ends, strict=True):
                if not future.done():
                    future.set_result(answers[start:end])
                seconds.append(now - started)
                start = end
            return seconds
        if self._answers is None:
            self._answers = [None] * self.ends[-1]
            self._missing = [end - start for start, end in _spans(self.ends)]
        seconds = []
        for place, answer in zip(places, answers, strict=True):
            self._answers[place] = answer
            owner = bisect_right(self.ends, place)
            self._missing[owner] -= 1
            if not self._missing[owner]:
                future, _, started = self._asked[owner]
                start = self.ends[owner - 1] if owner else 0
                if not future.done():
                    future.set_result(self._answers[start : self.ends[owner]])  # type: ignore[arg-type]
                seconds.append(now - started)
        return seconds

    def fail(self, places: Sequence[int] | None, error: BaseException) -> None:
        """Tell those whose rows are at ``places`` that they get no answer."""
        owners = range(len(self.ends))
        for owner in owners if places is None else {bisect_right(self.ends, at) for at in places}:
            _fail(self._asked[owner][0], error)


class _Job(NamedTuple):
    """What one service has to answer of a turn."""

    turn: _Turn
    rows: Rows
    group: Group

    @property
    def told(self) -> Told:
        return Told(self.group.role, self.group.share)

    @property
    def ends(self) -> Sequence[int]:
        """Where requests end among the job's rows; some may have none of them."""
        ends, places = self.turn.ends, self.group.positions
        return ends if places is None else [bisect_right(places, end - 1) for end in ends]


class _Lane:
    """Jobs of one service that is asked in a thread: one call at a time, all that waits."""

    def __init__(self, service: Service, timeout: float, log: _LogParts) -> None:
        self.rows = 0
        """Rows that wait."""
        self.waiting = False
        self._service = service
        self._deadline = Deadline(timeout)
        self._log = log
        self._jobs: deque[_Job] = deque()

    def put(self, job: _Job) -> None:
        """Answer a job as soon as the call before it is over."""
        self._jobs.append(job)
        self.rows += job.rows.count
        if not self.waiting:
            self.waiting = True
            self._task = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        while self._jobs:
            jobs = self._take()
            try:
                parts = await self._ask(jobs)
            except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
                for job in jobs:
                    job.turn.fail(job.group.positions, error)
            else:
                self._log(jobs, parts)
        self.waiting = False

    @property
    def _number(self) -> int:
        return self._service.version.number

    def _take(self) -> list[_Job]:
        """Take jobs that one record may tell the same about, up to so many rows."""
        jobs = [self._jobs.popleft()]
        rows = jobs[0].rows.count
        while self._jobs and self._jobs[0].told == jobs[0].told and rows < _TOGETHER:
            jobs.append(self._jobs.popleft())
            rows += jobs[-1].rows.count
        self.rows -= rows
        return jobs

    async def _ask(self, jobs: Sequence[_Job]) -> list[Part]:
        rows, ends, offset = self._service.join([job.rows for job in jobs]), [], 0
        for job in jobs:
            ends += [offset + end for end in job.ends]
            offset += job.rows.count
        told = jobs[0].told
        answers = self._service.answers
        try:
            return await self._deadline.run(lambda: answers(rows, ends, told))
        except TimeoutError:
            _log.warning(
                "version %d took over %g s, its baseline answers",
                self._number,
                self._deadline.seconds,
            )
            return answers(rows, ends, told, "timeout")


class _LogParts(Protocol):
    def __call__(self, jobs: Sequence[_Job], parts: Sequence[Part], /) -> None: ...


def _gather(asked: Sequence[_Asked], champion: Service) -> tuple[_Turn, Rows]:
    """Put the rows of all requests under each other, in their order."""
    parts: list[Rows] = []
    ends: list[int] = []
    typed: list[Typed] = []
    end = 0
    for _, item, _ in asked:
        if isinstance(item, Rows):
            if typed:
                parts.append(champion.typed.rows(typed))
                typed = []
            parts.append(item)
            end += item.count
        else:
            typed.append(item)
            end += 1
        ends.append(end)
    if typed:
        parts.append(champion.typed.rows(typed))
    return _Turn(asked, ends), champion.join(parts)


def _in_order(parts: Sequence[Part], rendered: Sequence[list[Answer]]) -> list[Answer]:
    """Return the answers of all parts in the order of their rows."""
    if parts[0].positions is None:
        return rendered[0]
    at = [place for part in parts for place in part.positions or ()]
    answers = [answer for some in rendered for answer in some]
    return [answer for _, answer in sorted(zip(at, answers, strict=True), key=lambda pair: pair[0])]


def _spans(ends: Sequence[int]) -> Iterable[tuple[int, int]]:
    return zip((0, *ends[:-1]), ends, strict=True)


def _fail_jobs(jobs: Sequence[_Job], error: BaseException) -> None:
    for job in jobs:
        job.turn.fail(job.group.positions, error)


def _fail(future: Waiter, error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
