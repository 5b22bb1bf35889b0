"""What Prometheus reads of a consumer."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from gleis.contracts.errors import ConfigError
from gleis.serving.streams.consuming import Status


class StreamMetrics:
    """Counters of one consumer, on a port of their own.

    Parameters
    ----------
    topic, group : str
        Labels of everything.
    """

    def __init__(self, topic: str, group: str) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._labels = (topic, group)
        self._messages = Counter(
            "gleis_stream_messages_total",
            "Messages answered, set aside (bad), and replies sent again (resent).",
            ("topic", "group", "outcome"),
            registry=self.registry,
        )
        self._lag = Gauge(
            "gleis_stream_lag",
            "Messages that wait in a partition.",
            ("topic", "group", "partition"),
            registry=self.registry,
        )
        self._before: dict[str, int] = {}

    def update(self, status: Status) -> None:
        """Take over what a consumer tells."""
        counts = {"answered": status.answered, "bad": status.bad, "resent": status.resent}
        for outcome, count in counts.items():
            more = count - self._before.get(outcome, 0)
            self._messages.labels(*self._labels, outcome).inc(more)
        self._before = counts
        self._lag.clear()
        for place, lag in status.lag.items():
            self._lag.labels(*self._labels, place.rpartition("/")[2]).set(lag)

    def serve(self, port: int) -> Callable[[], None]:
        """Answer Prometheus on a port of this machine; returns what stops it.

        Raises
        ------
        ConfigError
            The port is in use.
        """
        try:
            server, _ = start_http_server(port, "127.0.0.1", self.registry)
        except (OSError, OverflowError) as error:
            raise ConfigError(
                f"Port {port} cannot be served: {error}",
                remedy="Take another one.",
                field="--metrics-port",
            ) from error
        return server.shutdown
