from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from gleis.serving.shipping.compose import compose_files, rules
from gleis.serving.shipping.context import to_yaml
from gleis.serving.shipping.dockerfile import Shipment

SHIPMENT = Shipment(name="flights", version=3, digest="ab" * 32, python="3.11", title="t")
FILES = compose_files(SHIPMENT)
COMPOSE = FILES["docker-compose.yaml"]


def test_all_services_are_there_and_listen_on_this_machine_only():
    assert set(COMPOSE["services"]) == {
        "gleis",
        "prometheus",
        "alertmanager",
        "grafana",
        "minio",
        "postgres",
        "mlflow",
    }
    for service in COMPOSE["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_no_password_is_in_the_file():
    text = to_yaml(COMPOSE)
    secrets = re.findall(r"(\w*(?:PASSWORD|USER)\w*): (.*)", text)
    assert len(secrets) == 4
    assert all(re.fullmatch(r"\$\{\w+:\?.*\}", value) for _, value in secrets)


def test_every_file_and_volume_that_is_mounted_exists():
    for service in COMPOSE["services"].values():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("./"):
                assert source.removeprefix("./") in FILES
            else:
                assert source in COMPOSE["volumes"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool")
def test_prometheus_takes_configuration_and_rules(tmp_path):
    (tmp_path / "rules.yaml").write_text(to_yaml(FILES["observability/rules.yaml"]))
    text = to_yaml(FILES["observability/prometheus.yaml"])
    text = text.replace("/etc/prometheus/rules.yaml", str(tmp_path / "rules.yaml"))
    (tmp_path / "prometheus.yaml").write_text(text)
    for kind, name in (("config", "prometheus.yaml"), ("rules", "rules.yaml")):
        done = subprocess.run(
            ["promtool", "check", kind, tmp_path / name],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool")
def test_the_fallback_alert_rings_when_it_should(tmp_path):
    (tmp_path / "rules.yaml").write_text(to_yaml(rules(SHIPMENT)))
    series = 'gleis_predictions_total{model="flights",version="2",fallback='
    case = {
        "rule_files": [str(tmp_path / "rules.yaml")],
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": series + '"false"}', "values": "0+90x60"},
                    {"series": series + '"true"}', "values": "0+10x60"},
                ],
                "alert_rule_test": [
                    {"eval_time": "10m", "alertname": "GleisFallback", "exp_alerts": []},
                    {
                        "eval_time": "45m",
                        "alertname": "GleisFallback",
                        "exp_alerts": [
                            {
                                "exp_labels": {"severity": "ticket"},
                                "exp_annotations": {
                                    "summary": "flights lets the heuristic answer over 5 % of rows."
                                },
                            }
                        ],
                    },
                ],
            }
        ],
    }
    (tmp_path / "case.yaml").write_text(to_yaml(case))
    done = subprocess.run(
        ["promtool", "test", "rules", tmp_path / "case.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
