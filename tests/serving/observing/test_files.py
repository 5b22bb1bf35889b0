"""What ``gleis build monitoring`` writes is what the programs take."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest
import yaml

from gleis.contracts.errors import ConfigError
from gleis.serving.observing.files import dashboards, texts
from gleis.serving.observing.rules import alerts
from gleis.serving.observing.stack import Stack, check_address, check_url

STACK = Stack(
    model="flights", webhook="http://127.0.0.1:9095/alerts", key_file="/run/secrets/gleis-key"
)


@pytest.fixture
def folder(tmp_path):
    for name, text in texts(STACK).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def run(*command, cwd):
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool")


@needs_promtool
def test_promtool_takes_configuration_and_rules(folder):
    text = (folder / "prometheus.yml").read_text()
    (folder / "key").write_text("secret")
    (folder / "prometheus.yml").write_text(text.replace("/run/secrets/gleis-key", "key"))
    done = run("promtool", "check", "config", "prometheus.yml", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_every_rule_rings_and_keeps_silent_as_its_tests_say(folder):
    done = run("promtool", "test", "rules", "rules_test.yml", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_the_rules_tests_notice_another_rule(folder):
    rules = (folder / "rules.yml").read_text()
    for old, new in (("> 0.05", "> 0.2"), ('kind="labels"', 'kind="fairness"'), ("300)", "9000)")):
        assert old in rules
        rules = rules.replace(old, new)
    (folder / "rules.yml").write_text(rules)
    done = run("promtool", "test", "rules", "rules_test.yml", cwd=folder)
    assert done.returncode == 1
    failed = set(re.findall(r"alertname: (\w+), time", done.stdout + done.stderr))
    assert failed == {"GleisFallbacks", "GleisLabels", "GleisLoopSilent"}


def test_every_alert_has_a_test_in_which_it_rings_and_one_in_which_it_does_not():
    tests = yaml.safe_load(texts(STACK)["rules_test.yml"])["tests"]
    rung, silent = set(), set()
    for test in tests:
        for case in test["alert_rule_test"]:
            if not case["exp_alerts"]:
                silent.add(case["alertname"])
            for one in case["exp_alerts"]:
                rung.add((case["alertname"], one["exp_labels"]["severity"]))
    wanted = {(rule["alert"], rule["labels"]["severity"]) for rule in alerts(STACK)}
    assert rung == wanted
    assert silent == {name for name, _ in wanted}


@pytest.mark.skipif(shutil.which("amtool") is None, reason="needs amtool")
@pytest.mark.parametrize(
    ("severity", "receiver"), [("page", "page"), ("ticket", "ticket"), ("other", "ticket")]
)
def test_alertmanager_takes_its_configuration_and_routes_by_severity(folder, severity, receiver):
    path = folder / "alertmanager.yml"
    checked = run("amtool", "check-config", path, cwd=folder)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    labels = (f"severity={severity}", "alertname=GleisDrift", "model=flights")
    routed = run("amtool", "config", "routes", "test", f"--config.file={path}", *labels, cwd=folder)
    assert routed.stdout.strip() == receiver, routed.stderr


@pytest.mark.parametrize("probabilities", [True, False])
def test_panels_do_not_overlap_and_have_names_of_their_own(probabilities):
    made = dashboards(Stack(model="flights", probabilities=probabilities))
    assert list(made) == ["model", "drift", "performance", "loop", "service"]
    assert len({one["uid"] for one in made.values()}) == 5
    for one in made.values():
        taken = set()
        for panel in one["panels"]:
            place = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not cells & taken, (one["title"], panel["title"])
            assert place["x"] + place["w"] <= 24
            taken |= cells
        below = max(y for _, y in taken) + 1
        assert len(taken) == 24 * below, "no holes: each row is as wide as the grid"
        ids = [panel["id"] for panel in one["panels"]]
        titles = [panel["title"] for panel in one["panels"]]
        assert len(set(ids)) == len(ids)
        assert len(set(titles)) == len(titles), titles


def test_a_regression_has_no_panel_of_classes():
    def panels(**kind):
        made = dashboards(Stack(model="flights", **kind))["model"]["panels"]
        return {panel["title"]: panel for panel in made}

    classes, values = panels(probabilities=True), panels(probabilities=False)
    assert "Labels" in classes
    assert "Labels" not in values
    assert classes["Average score"]["fieldConfig"]["defaults"]["max"] == 1.0
    assert "max" not in values["Average score"]["fieldConfig"]["defaults"]


def test_grafana_finds_source_and_dashboards():
    found = texts(STACK)
    [source] = yaml.safe_load(found["grafana/provisioning/datasources/gleis.yml"])["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "http://127.0.0.1:9090")
    [provider] = yaml.safe_load(found["grafana/provisioning/dashboards/gleis.yml"])["providers"]
    assert provider["options"]["path"] == "/etc/grafana/gleis"
    for name, text in found.items():
        if name.endswith(".json"):
            assert json.loads(text)["tags"] == ["gleis"]


@pytest.mark.parametrize("address", ["localhost:8000", "flights.example.org:80", "[::1]:65535"])
def test_an_address_is_taken(address):
    assert check_address(address, "--target") == address


NO_ADDRESSES = (
    *("localhost", "localhost:", ":8000", "http://a:8000", "a:0", "a:65536", "a_b::80", "::1"),
    *("a:8000/x", "a:-1", "a:eighty", "", "a:80 ", "a b:80"),
)


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ConfigError, match="a host and a port") as refused:
        check_address(address, "--target")
    assert refused.value.field == "--target"


@pytest.mark.parametrize("url", ["localhost:9095", "ftp://a/b", "http://", "http:///x", "//a", ""])
def test_what_is_no_url_is_refused(url):
    with pytest.raises(ConfigError, match="begins with http"):
        check_url(url, "--webhook")
