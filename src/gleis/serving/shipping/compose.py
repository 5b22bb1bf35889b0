"""``docker-compose.yaml``: the image with the tools that a team runs beside it."""

from __future__ import annotations

from typing import Any

from gleis.serving.shipping.dockerfile import Shipment

_LOCAL = "127.0.0.1"
_RESTART = "unless-stopped"


def compose_files(shipment: Shipment) -> dict[str, Any]:
    """Return file name -> document (to be written as YAML).

    Every port is bound to the machine's own address. Passwords come from the environment; there
    are none in the files.
    """
    return {
        "docker-compose.yaml": _compose(shipment),
        "observability/prometheus.yaml": _prometheus(),
        "observability/rules.yaml": rules(shipment),
        "observability/alertmanager.yaml": _alertmanager(),
        "observability/grafana/datasources.yaml": _datasources(),
    }


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
                    "./observability/prometheus.yaml:/etc/prometheus/prometheus.yml:ro",
                    "./observability/rules.yaml:/etc/prometheus/rules.yaml:ro",
                    "metrics:/prometheus",
                ],
                "restart": _RESTART,
            },
            "alertmanager": {
                "image": "prom/alertmanager:latest",
                "ports": [f"{_LOCAL}:9093:9093"],
                "volumes": [
                    "./observability/alertmanager.yaml:/etc/alertmanager/alertmanager.yml:ro"
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
                    "./observability/grafana/datasources.yaml"
                    ":/etc/grafana/provisioning/datasources/gleis.yaml:ro"
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


def _prometheus() -> dict[str, Any]:
    return {
        "global": {"scrape_interval": "15s", "evaluation_interval": "15s"},
        "rule_files": ["/etc/prometheus/rules.yaml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": ["alertmanager:9093"]}]}]},
        "scrape_configs": [
            {
                "job_name": "gleis",
                "static_configs": [{"targets": ["gleis:8000"]}],
            }
        ],
    }


def rules(shipment: Shipment) -> dict[str, Any]:
    """Return alert rules on what the service itself counts."""
    model = shipment.name
    answered = 'gleis_requests_total{path="/predict"}'
    failed = 'gleis_requests_total{path="/predict",status=~"5.."}'
    fallback = 'gleis_predictions_total{fallback="true"}'
    slow = "histogram_quantile(0.99, sum by (le) (rate(gleis_prediction_seconds_bucket[5m]))) > 0.1"
    return {
        "groups": [
            {
                "name": f"gleis {shipment.name}",
                "rules": [
                    _rule("GleisDown", 'up{job="gleis"} == 0', "1m", f"{model} does not answer"),
                    _rule(
                        "GleisErrors",
                        f"sum(rate({failed}[5m])) / sum(rate({answered}[5m])) > 0.01",
                        "5m",
                        f"{model} answers over 1 % of requests with an error",
                    ),
                    _rule(
                        "GleisFallback",
                        f"sum(rate({fallback}[15m])) / sum(rate(gleis_predictions_total[15m]))"
                        " > 0.05",
                        "15m",
                        f"{model} lets the heuristic answer over 5 % of rows",
                    ),
                    _rule(
                        "GleisSlow",
                        slow,
                        "10m",
                        f"{model} takes over 100 ms for 1 % of its requests",
                    ),
                    _rule(
                        "GleisReloadFails",
                        "increase(gleis_reload_errors_total[15m]) > 0",
                        "0m",
                        f"{model} refused a new version; the old one keeps answering",
                    ),
                ],
            }
        ]
    }


def _rule(name: str, expression: str, lasting: str, summary: str) -> dict[str, Any]:
    return {
        "alert": name,
        "expr": expression,
        "for": lasting,
        "labels": {"severity": "page" if name == "GleisDown" else "ticket"},
        "annotations": {"summary": f"{summary}."},
    }


def _alertmanager() -> dict[str, Any]:
    """Group and show; whom to tell is for the operator to add."""
    return {
        "route": {"receiver": "page", "group_by": ["alertname"], "repeat_interval": "4h"},
        "receivers": [{"name": "page"}],
    }


def _datasources() -> dict[str, Any]:
    source = {
        "name": "gleis",
        "type": "prometheus",
        "access": "proxy",
        "url": "http://prometheus:9090",
        "isDefault": True,
    }
    return {"apiVersion": 1, "datasources": [source]}
