from __future__ import annotations

import socket
import urllib.request

import pytest

from gleis.contracts.errors import ConfigError
from gleis.serving.streams.consuming import Status
from gleis.serving.streams.stream_metrics import StreamMetrics


def status(answered, lag):
    return Status(answered=answered, bad=1, resent=0, lag=lag, version=3)


def test_prometheus_reads_counts_and_lag():
    metrics = StreamMetrics("flights", "g")
    metrics.update(status(5, {"flights/0": 7, "flights/1": 1}))
    metrics.update(status(9, {"flights/1": 0}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    stop = metrics.serve(port)
    with pytest.raises(ConfigError, match=f"Port {port} cannot be served"):
        StreamMetrics("flights", "g").serve(port)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    stop()
    of = 'topic="flights"'
    assert f'gleis_stream_messages_total{{group="g",outcome="answered",{of}}} 9.0' in lines
    assert f'gleis_stream_messages_total{{group="g",outcome="bad",{of}}} 1.0' in lines
    assert [line for line in lines if line.startswith("gleis_stream_lag{")] == [
        f'gleis_stream_lag{{group="g",partition="1",{of}}} 0.0'
    ]
