"""``prometheus.yml`` and ``alertmanager.yml``."""

from __future__ import annotations

from typing import Any

from gleis.serving.observing.stack import Stack


def prometheus(stack: Stack) -> dict[str, Any]:
    """Return Prometheus' configuration.

    The target carries the model's name as a label, so that an alert that it is down has it too;
    series keep what they say themselves.
    """
    scrape: dict[str, Any] = {
        "job_name": "gleis",
        "scheme": stack.scheme,
        "honor_labels": True,
        "static_configs": [{"targets": list(stack.targets), "labels": {"model": stack.model}}],
    }
    if stack.key_file is not None:
        scrape["authorization"] = {"credentials_file": stack.key_file}
    return {
        "global": {"scrape_interval": stack.every, "evaluation_interval": stack.every},
        "rule_files": [stack.rules],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [stack.alertmanager]}]}]},
        "scrape_configs": [scrape],
    }


def alertmanager(stack: Stack) -> dict[str, Any]:
    """Return Alertmanager's configuration: pages soon and again, tickets once a day.

    Who is down is not slow, silent or drifting too: that is held back until it answers again.
    """
    receivers = []
    for name in ("page", "ticket"):
        receiver: dict[str, Any] = {"name": name}
        if stack.webhook is not None:
            receiver["webhook_configs"] = [{"url": stack.webhook, "send_resolved": True}]
        receivers.append(receiver)
    return {
        "route": {
            "receiver": "ticket",
            "group_by": ["model", "alertname"],
            "group_wait": "1m",
            "group_interval": "10m",
            "repeat_interval": "24h",
            "routes": [
                {
                    "receiver": "page",
                    "matchers": ['severity="page"'],
                    "group_wait": "10s",
                    "group_interval": "1m",
                    "repeat_interval": "4h",
                }
            ],
        },
        "inhibit_rules": [
            _holds_back('alertname="GleisDown"', 'alertname=~"Gleis.+"', "model"),
            _holds_back('severity="page"', 'severity="ticket"', "model", "alertname"),
            _holds_back('alertname="GleisLoopSilent"', 'alertname=~"GleisLoopStuck|GleisT.+"'),
            _holds_back('alertname="GleisPerformance"', 'alertname="GleisEstimate"'),
        ],
        "receivers": receivers,
    }


def _holds_back(source: str, target: str, *equal: str) -> dict[str, Any]:
    return {
        "source_matchers": [source],
        "target_matchers": [target],
        "equal": list(equal or ("model",)),
    }
