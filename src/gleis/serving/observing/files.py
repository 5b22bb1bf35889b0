"""All files that ``gleis build monitoring`` writes."""

from __future__ import annotations

import json
from typing import Any

from gleis.serving.observing.dashboards.drift import drift
from gleis.serving.observing.dashboards.loop import loop
from gleis.serving.observing.dashboards.model import model
from gleis.serving.observing.dashboards.performance import performance
from gleis.serving.observing.dashboards.service import service
from gleis.serving.observing.grafana import datasources, providers
from gleis.serving.observing.prometheus import alertmanager, prometheus
from gleis.serving.observing.rule_tests import rule_tests
from gleis.serving.observing.rules import rules
from gleis.serving.observing.stack import Stack


def dashboards(stack: Stack) -> dict[str, dict[str, Any]]:
    """Return the dashboards by name."""
    return {
        "model": model(probabilities=stack.probabilities),
        "drift": drift(),
        "performance": performance(),
        "loop": loop(),
        "service": service(),
    }


def documents(stack: Stack) -> dict[str, Any]:
    """Return path -> document; those that end with ``.json`` are JSON, the others YAML."""
    drawn = {
        f"grafana/dashboards/gleis-{name}.json": found for name, found in dashboards(stack).items()
    }
    return {
        "prometheus.yml": prometheus(stack),
        "rules.yml": rules(stack),
        "rules_test.yml": rule_tests(stack),
        "alertmanager.yml": alertmanager(stack),
        "grafana/provisioning/datasources/gleis.yml": datasources(stack),
        "grafana/provisioning/dashboards/gleis.yml": providers(stack),
        **drawn,
    }


def texts(stack: Stack) -> dict[str, str]:
    """Return path -> content."""
    return {path: written(path, found) for path, found in documents(stack).items()}


def written(path: str, document: Any) -> str:
    """Return a document as its file holds it: JSON where its name says so, else YAML."""
    if path.endswith(".json"):
        return json.dumps(document, indent=2) + "\n"
    # Only who builds files needs PyYAML: a service does not load it.
    import yaml  # type: ignore[import-untyped]

    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
    return text
