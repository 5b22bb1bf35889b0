"""The report and the overview page as a browser shows them."""

from __future__ import annotations

import shutil
import threading
from datetime import UTC, datetime

import pytest
from playwright.sync_api import sync_playwright

from evidence_of_everything import EVERYTHING, run_of
from gleis import Project
from gleis.contracts.clock import SystemClock
from gleis.governance.gates import judge
from gleis.lifecycle.run_report import Subject, write_run_report
from gleis.lifecycle.service_process import make_app
from gleis.serving.run import Server, bind
from gleis.web.site import Site
from small_projects import make_shifting

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium: apt-get install chromium, as .ci/run does"
)
SINCE, UNTIL = datetime(2024, 2, 21, tzinfo=UTC), datetime(2024, 3, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = make_shifting(tmp_path_factory.mktemp("pages") / "shifting")
    project = Project.open(folder, as_of=SINCE)
    project.run()
    project.report(project.backtest(SINCE, UNTIL, ["never", "project"]))
    yield project
    project.home.close()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    """A page that notes what it asks the network for and what goes wrong in it."""
    page = browser.new_page(viewport={"width": 1000, "height": 1200})
    page.asked, page.wrong = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("console", lambda m: page.wrong.append(m.text) if m.type == "error" else None)
    yield page
    page.close()


def test_the_report_draws_its_charts_without_a_network(project, page):
    (report,) = project.home.reports.glob("*.html")
    page.goto(report.as_uri())
    page.wait_for_selector("#events svg")
    assert page.wrong == []
    assert page.asked == [report.as_uri()]
    for chart in ("gain", "weekly-log_loss", "weekly-roc_auc", "events", "figures"):
        assert page.locator(f"#{chart} svg").count() == 1
    assert page.locator("table").first.locator("tbody tr").count() == 2
    assert page.evaluate("document.body.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("width", [1280, 400])
def test_a_runs_report_needs_no_network_and_fits_the_screen(browser, tmp_path, width):
    verdict = judge(EVERYTHING, {"roc_auc": ">= 0.8", "leakage": "none"})
    subject = Subject(task="binary", target="approve", version=3, standing="is not live")
    report = write_run_report(run_of(EVERYTHING), verdict, "", subject, tmp_path / "run.html")
    page = browser.new_page(viewport={"width": width, "height": 900})
    asked, wrong = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(report.as_uri())
    page.wait_for_selector("#calibration svg")
    drawn = (
        "calibration",
        "damage",
        "rivals",
        "slices-unit",
        "people-race",
        "importance-permutation",
    )
    for chart in drawn:
        assert page.locator(f"[id='{chart}'] svg").count() == 1, chart
    assert (asked, wrong) == ([report.as_uri()], [])
    assert page.evaluate("document.body.scrollWidth <= window.innerWidth")
    assert page.locator(".gate .badge.fail").count() == 1
    page.close()


def test_the_overview_shows_what_is_live(project, page):
    listening = bind("127.0.0.1", 0)
    app = make_app(project.settings, project.home, SystemClock(), project.folder)
    up = threading.Event()
    site = Site(app, project.settings, project.home)
    server = Server(site, listening, lambda host, port: up.set())
    port = listening.getsockname()[1]
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert up.wait(20)
        page.goto(f"http://127.0.0.1:{port}/")
        text = page.inner_text("body")
        assert "Version 2 answers" in text
        assert "baseline" in text
        page.click("text=.html")
        page.wait_for_selector("#events svg")
        assert page.wrong == []
        assert all(url.startswith(f"http://127.0.0.1:{port}/") for url in page.asked)
    finally:
        server.stop()
        thread.join(20)
    assert not thread.is_alive()
