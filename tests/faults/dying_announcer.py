"""A process that tells of an alarm and is killed while it waits for the answer."""

from __future__ import annotations

import sys
from pathlib import Path

from gleis.config.load import load_settings
from gleis.contracts.clock import SystemClock
from gleis.lifecycle.alarms.announcing import Announcing
from gleis.lifecycle.journal import Journal
from gleis.monitoring.delivery.receivers import make_receivers
from gleis.store.home import Home

sys.path.insert(0, str(Path(__file__).parents[1]))
from alarms_made import NIGHT, an_alarm


class Night(SystemClock):
    """Always the same moment."""

    def now(self):
        return NIGHT


def main(folder: Path, url: str):
    settings = load_settings(folder, {"alarms.webhook": [url]}, environment={})
    home = Home(folder / ".gleis")
    announcing = Announcing(settings, home, Night(), make_receivers(settings.alarms, {}))
    announcing.meet()
    Journal(home.facts).write_alarm(an_alarm())
    announcing.look()
    announcing.wait(60.0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
