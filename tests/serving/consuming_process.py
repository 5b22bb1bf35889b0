"""Consume a topic with the champion of a state folder, as a process that tests can kill."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parent))

from small_packages import TRUST

from gleis.contracts.clock import SystemClock
from gleis.registry.versions import Registry
from gleis.serving.live import LiveService
from gleis.serving.streams.consuming import Consumer, Stream
from gleis.store.home import Home


class Champion:
    """The champion of a state folder, as it was at the start."""

    def __init__(self, home: Home) -> None:
        clock = SystemClock()
        self.live = LiveService(Registry(home, "small", clock), clock, lambda: TRUST)
        self.live.load()

    def current(self):
        """Return its service."""
        return self.live.current

    def of(self, batch):
        """Return the service of the only version there is."""
        assert batch.version == self.live.current.version.number
        return self.live.current


def main() -> None:
    """Consume; say so when ready, and what was done at the end."""
    home = Home(Path(sys.argv[1]))
    stream = msgspec.json.decode(sys.argv[2], type=Stream)
    consumer = Consumer(stream, home.log, Champion(home))
    signal.signal(signal.SIGTERM, lambda number, frame: consumer.stop())
    print("ready", flush=True)
    print(msgspec.json.encode(consumer.run()).decode(), flush=True)
    home.close()


if __name__ == "__main__":
    main()
