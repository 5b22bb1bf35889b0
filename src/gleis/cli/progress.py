"""Progress bars of replays."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from types import TracebackType

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from gleis.cli.output import console, working
from gleis.lifecycle.results import Tick

_BARS = 12
"""With more policies only the bars of those that run are shown."""


class ReplayProgress:
    """One bar a policy; the bar's length is simulated time.

    Parameters
    ----------
    since, until : datetime
    policies : sequence of str
    quiet : bool
        Show nothing.
    """

    def __init__(
        self, since: datetime, until: datetime, policies: Sequence[str], *, quiet: bool = False
    ) -> None:
        self._since = since
        self._quiet = quiet
        self._before = ExitStack()
        width = max(10, *(len(policy) for policy in policies))
        self._bars = Progress(
            TextColumn(f"{{task.description:<{width}}}"),
            BarColumn(bar_width=28),
            TextColumn("{task.fields[day]}"),
            TextColumn("{task.fields[seen]}"),
            TimeElapsedColumn(),
            console=console,
            disable=quiet,
        )
        total = (until - since).total_seconds()
        self._many = len(policies) > _BARS
        self._tasks = {
            policy: self._bars.add_task(
                policy, total=total, day="", seen="", start=False, visible=not self._many
            )
            for policy in policies
        }
        self._counts = dict.fromkeys(policies, (0, 0, 0))

    def __enter__(self) -> ReplayProgress:
        """Wait for the first step; what is refused before it needs no bars."""
        if not self._quiet:
            self._before.enter_context(working("Reading the data and making the first model"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the bars as they are."""
        self._before.close()
        self._bars.stop()

    def on_step(self, policy: str, moment: datetime, tick: Tick) -> None:
        """Move a bar on."""
        self._before.close()
        self._bars.start()
        alarms, trained, promoted = self._counts[policy]
        alarms += len(tick.alarms)
        if tick.outcome is not None:
            trained += 1
            promoted += tick.outcome.promoted
        if tick.release is not None:
            promoted += tick.release.outcome == "promoted"
        self._counts[policy] = (alarms, trained, promoted)
        task = self._tasks[policy]
        if not self._bars.tasks[task].started:
            self._bars.start_task(task)
            self._bars.update(task, visible=True)
            self._hide_done()
        self._bars.update(
            task,
            completed=(moment - self._since).total_seconds(),
            day=f"{moment:%Y-%m-%d}",
            seen=f"{alarms} alarms, {trained} retrainings, {promoted} promoted",
        )

    def _hide_done(self) -> None:
        """Of many policies show those that run."""
        if self._many:
            for task in self._bars.tasks:
                if task.finished:
                    self._bars.update(task.id, visible=False)
