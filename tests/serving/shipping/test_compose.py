from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from gleis.serving.observing.files import written
from gleis.serving.shipping.compose import compose_files
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
                path = source.removeprefix("./")
                assert any(name == path or name.startswith(f"{path}/") for name in FILES)
            else:
                assert source in COMPOSE["volumes"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool")
def test_prometheus_takes_the_configuration_that_is_mounted(tmp_path):
    for name in ("prometheus.yml", "rules.yml"):
        text = written(name, FILES[f"observability/{name}"])
        text = text.replace("/etc/prometheus/rules.yml", str(tmp_path / "rules.yml"))
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        ["promtool", "check", "config", tmp_path / "prometheus.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [scraped] = FILES["observability/prometheus.yml"]["scrape_configs"]
    assert scraped["static_configs"][0]["targets"] == ["gleis:8000"]
