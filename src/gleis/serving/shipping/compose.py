"""``docker-compose.yaml``: the image with the tools that a team runs beside it."""

from __future__ import annotations

from typing import Any

from gleis.serving.observing.files import documents
from gleis.serving.observing.stack import Stack
from gleis.serving.shipping.dockerfile import Shipment

_LOCAL = "127.0.0.1"
_RESTART = "unless-stopped"


def compose_files(shipment: Shipment) -> dict[str, Any]:
    """Return file name -> document, to be written as YAML, or as JSON where its name says so.

    Every port is bound to the machine's own address. Passwords come from the environment; there
    are none in the files.
    """
    return {
        "docker-compose.yaml": _compose(shipment),
        **{f"observability/{path}": found for path, found in documents(_stack(shipment)).items()},
    }


def _stack(shipment: Shipment) -> Stack:
    """Return who watches the image: everybody by the name of the service beside it."""
    return Stack(
        model=shipment.name,
        targets=("gleis:8000",),
        alertmanager="alertmanager:9093",
        prometheus="http://prometheus:9090",
        rules="/etc/prometheus/rules.yml",
        probabilities=shipment.probabilities,
    )


def _compose(shipment: Shipment) -> dict[str, Any]:
    return {
        "name": shipment.name.lower(),
        "services": {
            "gleis": {
                "build": {"context": "."},
                "image": shipment.tag,
                "ports": [f"{_LOCAL}:8000:8000"],
                "volumes": ["predictions:/data"],
                "environment": {"GLEIS_ACCESS__OPEN": "true"},
                "read_only": True,
                "tmpfs": ["/tmp"],  # noqa: S108 - a file system of the container's own
                "cap_drop": ["ALL"],
                "security_opt": ["no-new-privileges:true"],
                "restart": _RESTART,
            },
            "prometheus": {
                "image": "prom/prometheus:latest",
                "ports": [f"{_LOCAL}:9090:9090"],
                "volumes": [
                    "./observability/prometheus.yml:/etc/prometheus/prometheus.yml:ro",
                    "./observability/rules.yml:/etc/prometheus/rules.yml:ro",
                    "metrics:/prometheus",
                ],
                "restart": _RESTART,
            },
            "alertmanager": {
                "image": "prom/alertmanager:latest",
                "ports": [f"{_LOCAL}:9093:9093"],
                "volumes": [
                    "./observability/alertmanager.yml:/etc/alertmanager/alertmanager.yml:ro"
                ],
                "restart": _RESTART,
            },
            "grafana": {
                "image": "grafana/grafana:latest",
                "ports": [f"{_LOCAL}:3000:3000"],
                "environment": {
                    "GF_SECURITY_ADMIN_PASSWORD": _secret("GRAFANA_PASSWORD"),
                    "GF_ANALYTICS_REPORTING_ENABLED": "false",
                },
                "volumes": [
                    *(
                        f"./observability/grafana/provisioning/{kind}/gleis.yml"
                        f":/etc/grafana/provisioning/{kind}/gleis.yml:ro"
                        for kind in ("datasources", "dashboards")
                    ),
                    "./observability/grafana/dashboards:/etc/grafana/gleis:ro",
                ],
                "restart": _RESTART,
            },
            **_stores(),
        },
        "volumes": {
            name: {} for name in ("predictions", "metrics", "objects", "database", "tracking")
        },
    }


def _stores() -> dict[str, Any]:
    """Where a team's artifacts, facts and runs live once they leave the laptop."""
    return {
        "minio": {
            "image": "minio/minio:latest",
            "command": ["server", "/objects", "--console-address", ":9001"],
            "ports": [f"{_LOCAL}:9000:9000", f"{_LOCAL}:9001:9001"],
            "environment": {
                "MINIO_ROOT_USER": _secret("MINIO_USER"),
                "MINIO_ROOT_PASSWORD": _secret("MINIO_PASSWORD"),
            },
            "volumes": ["objects:/objects"],
            "restart": _RESTART,
        },
        "postgres": {
            "image": "postgres:17",
            "ports": [f"{_LOCAL}:5432:5432"],
            "environment": {"POSTGRES_PASSWORD": _secret("POSTGRES_PASSWORD")},
            "volumes": ["database:/var/lib/postgresql/data"],
            "healthcheck": {
                "test": ["CMD", "pg_isready", "-U", "postgres"],
                "interval": "5s",
                "retries": 10,
            },
            "restart": _RESTART,
        },
        "mlflow": {
            "image": "ghcr.io/mlflow/mlflow:latest",
            "command": [
                "mlflow",
                "server",
                "--host",
                "0.0.0.0",  # noqa: S104 - inside its container
                "--backend-store-uri",
                "sqlite:////tracking/mlflow.db",
                "--artifacts-destination",
                "/tracking",
            ],
            "ports": [f"{_LOCAL}:5000:5000"],
            "volumes": ["tracking:/tracking"],
            "restart": _RESTART,
        },
    }


def _secret(name: str) -> str:
    """Take a value from the environment; compose stops with the text if it is not set."""
    return f"${{{name}:?set {name} in .env}}"
