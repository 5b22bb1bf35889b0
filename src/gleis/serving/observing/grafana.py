"""What Grafana finds when it starts: where Prometheus is, and the dashboards."""

from __future__ import annotations

from typing import Any

from gleis.serving.observing.stack import Stack


def datasources(stack: Stack) -> dict[str, Any]:
    """Return ``provisioning/datasources/gleis.yml``."""
    source = {
        "name": "gleis",
        "uid": "gleis",
        "type": "prometheus",
        "access": "proxy",
        "url": stack.prometheus,
        "isDefault": True,
        "jsonData": {"timeInterval": stack.every, "httpMethod": "POST"},
    }
    return {"apiVersion": 1, "datasources": [source]}


def providers(stack: Stack) -> dict[str, Any]:
    """Return ``provisioning/dashboards/gleis.yml``."""
    provider = {
        "name": "gleis",
        "folder": "gleis",
        "type": "file",
        "disableDeletion": True,
        "allowUiUpdates": False,
        "options": {"path": stack.dashboards, "foldersFromFilesStructure": False},
    }
    return {"apiVersion": 1, "providers": [provider]}
