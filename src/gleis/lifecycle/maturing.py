"""The project's maturity: after what time a label has come or will not."""

from __future__ import annotations

from gleis.config.durations import parse_duration
from gleis.lifecycle.workbench import Workbench
from gleis.monitoring.labels.maturity import Maturity


def read_maturity(bench: Workbench) -> Maturity:
    """Read ``monitor.matures`` and ``monitor.window``."""
    settings = bench.settings
    matures = settings.monitor.matures or settings.project.label_delay
    return Maturity(
        matures=parse_duration(matures, "monitor.matures").total_seconds(),
        window=parse_duration(settings.monitor.window, "monitor.window").total_seconds(),
    )
