"""What ``/metrics`` says is what Prometheus wants to read."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as open_metrics_families,
)
from prometheus_client.parser import text_string_to_metric_families
from small_packages import ROW

from gleis.contracts.clock import SystemClock
from gleis.contracts.live_figures import LiveFigure, LiveFigures
from gleis.lifecycle.live_figures import FIGURES
from gleis.serving.families import FAMILIES
from gleis.serving.loop_figures import LoopFigures
from gleis.store.live_figures import keep_figures

OPEN_METRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


@pytest.fixture
def busy(client, service):
    """A client of a service that has answered, and whose loop has looked."""
    figures = [
        LiveFigure(
            name=name,
            value=1.5,
            labels=dict.fromkeys(("model", *named.labels), "x"),
            help=named.help,
            kind=named.kind,
        )
        for name, named in FIGURES.items()
    ]
    keep_figures(service.home.states, LiveFigures(at=SystemClock().now(), figures=tuple(figures)))
    metrics = service.app._metrics
    metrics.also(LoopFigures(service.home.states, metrics.figures_unreadable).collect)
    for rows in ([ROW] * 3, ROW | {"carrier": "ZZ"}, [ROW] * 20):
        assert client.post("/predict", json=rows).status_code == 200
    client.post("/labels", json={"id": 1, "label": 1})
    client.get("/nowhere")
    return client


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool")
def test_promtool_has_nothing_to_say(busy):
    text = busy.get("/metrics").content
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_a_scraper_gets_the_format_it_asks_for(busy):
    plain = busy.get("/metrics")
    assert plain.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    scraped = busy.get("/metrics", headers={"Accept": OPEN_METRICS})
    assert scraped.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert scraped.text.endswith("# EOF\n")
    families = {family.name: family for family in open_metrics_families(scraped.text)}
    wanted = {name: of.kind for name, of in (FAMILIES | FIGURES).items()}
    assert {name: family.type for name, family in families.items()} == wanted
    texts = text_string_to_metric_families(plain.text)
    assert {family.name for family in texts} == families.keys()


def test_every_series_names_the_model_and_no_others_labels(busy):
    for family in text_string_to_metric_families(busy.get("/metrics").text):
        wanted = {"model", *(FAMILIES | FIGURES)[family.name].labels}
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == wanted, sample


def test_service_and_loop_have_no_name_in_common():
    assert not FAMILIES.keys() & FIGURES.keys()
