"""The report and the overview page as a browser shows them."""

from __future__ import annotations

import re
import shutil
import threading
import time
from datetime import UTC, datetime

import httpx
import pytest
from playwright.sync_api import sync_playwright

from alarms_made import an_alarm
from evidence_of_everything import EVERYTHING, run_of
from gleis import Project
from gleis.contracts.clock import SystemClock
from gleis.contracts.live_figures import LiveFigure, LiveFigures
from gleis.governance.gates import judge
from gleis.lifecycle.journal import Journal
from gleis.lifecycle.run_report import Subject, write_run_report
from gleis.lifecycle.service_process import make_app
from gleis.serving.run import Server, bind
from gleis.store.live_figures import keep_figures
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
def browser(project):
    """A browser, begun behind the project: its event loop would be in a retraining's way."""
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


HARM = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"
PAGES = {
    "/data-distribution": "#feature-0 svg",
    "/model-statistics": "#figure-0 svg",
    "/application-metrics": "#requests svg",
}


@pytest.fixture(scope="module")
def up(project):
    """The project's service with pages, and what somebody asked and said."""
    listening = bind("127.0.0.1", 0)
    app = make_app(project.settings, project.home, SystemClock(), project.folder)
    started = threading.Event()
    site = Site(app, project.settings, project.home)
    server = Server(site, listening, lambda host, port: started.set())
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    thread = threading.Thread(target=server.run)
    thread.start()
    assert started.wait(20)
    rows = [{"price": 10.0 + at, "pages": 3, "channel": HARM} for at in range(20)]
    answers = httpx.post(f"{url}/predict", json=rows).json()["predictions"]
    said = {"prediction_id": answers[0]["prediction_id"], "rating": 2, "text": HARM, "by": HARM}
    assert httpx.post(f"{url}/feedback", json=said).status_code == 201
    Journal(project.home.facts).write_alarm(an_alarm(message=HARM))
    evidence = LiveFigure(
        name="gleis_drift_evidence", value=2.5, labels={"feature": HARM}, help="Evidence."
    )
    threshold = LiveFigure(name="gleis_drift_threshold", value=1.3, help="Threshold.")
    keep_figures(
        project.home.states, LiveFigures(at=datetime.now(UTC), figures=(evidence, threshold))
    )
    yield url
    server.stop()
    thread.join(20)
    assert not thread.is_alive()


def test_the_overview_shows_what_is_live(up, page):
    page.goto(f"{up}/")
    text = page.inner_text("body")
    assert "Version 2 answers" in text
    assert "baseline" in text
    page.click("text=.html")
    page.wait_for_selector("#events svg")
    assert page.wrong == []
    assert all(url.startswith(f"{up}/") for url in page.asked)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_draw_and_fit_and_nothing_that_was_sent_runs(browser, up, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    wrong, asked = [], []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda m: wrong.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    for path, drawn in {"/": "h2", **PAGES}.items():
        page.goto(f"{up}{path}")
        page.wait_for_selector(drawn, timeout=120_000)
        page.wait_for_function(
            "[...document.querySelectorAll('.chart')].every(place => place.querySelector('svg'))"
        )
        assert page.evaluate("document.body.scrollWidth <= window.innerWidth"), path
        assert page.locator("nav [aria-current]").get_attribute("href") == path
        ink, paper = page.evaluate(
            "['color', 'backgroundColor'].map(name => getComputedStyle(document.body)[name])"
        )
        assert (brightness(ink) > brightness(paper)) == (scheme == "dark")
        assert page.locator("img, body > script:not([src]):not([type])").count() == 0
        if path in ("/", "/model-statistics"):
            assert HARM in page.inner_text("body")
    assert wrong == []
    assert all(url.startswith((up, "data:")) for url in asked)
    page.close()


def brightness(colour):
    return sum(map(int, re.findall(r"\d+", colour)[:3]))


def test_a_page_may_run_only_what_comes_from_here(up):
    for path in ("/", *PAGES):
        reply = httpx.get(f"{up}{path}", headers={"accept": "text/html"})
        policy = reply.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "eval" not in policy
        assert reply.headers["vary"] == "accept"


@pytest.mark.parametrize("path", PAGES)
def test_programs_get_json_at_the_same_place(up, path):
    assert httpx.get(f"{up}{path}").json()["model"] == "shifting"
    browsers = {"accept": "text/html,*/*;q=0.8"}
    page = httpx.get(f"{up}{path}", headers=browsers)
    assert page.headers["content-type"].startswith("text/html")
    assert httpx.get(f"{up}{path}?format=json", headers=browsers).json()["model"] == "shifting"
    assert "<h1>" in httpx.get(f"{up}{path}?format=html").text
    assert httpx.post(f"{up}{path}").status_code == 405


@pytest.mark.parametrize("name", ["nothing.js", "..%2Foverview.html", "overview.html", "style.css"])
def test_no_other_file_is_served(up, name):
    assert httpx.get(f"{up}/pages/{name}").status_code == 404


def test_a_browser_may_send_a_key_as_its_password(project, up):
    """Last: from the first key on nobody is let in without one."""
    _, looks = project.callers.new("desk", ["observe"], by="tests")
    _, asks = project.callers.new("shop", ["predict"], by="tests")
    deadline = time.monotonic() + 10
    while httpx.get(f"{up}/").status_code != 401:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    for path in ("/", "/pages/start.js", *PAGES):
        for accept in ("text/html", "*/*"):
            url, headers = f"{up}{path}", {"accept": accept}
            assert httpx.get(url, headers=headers).status_code == 401, path
            assert httpx.get(url, headers=headers, auth=("me", looks)).status_code == 200, path
            assert httpx.get(url, headers=headers, auth=("me", asks)).status_code == 403, path
    given = {"prediction_id": "1-0-5ca1ab1e", "rating": 1}
    for path, body in (("/feedback", given), ("/retrain", {"reason": "x"})):
        reply = httpx.post(f"{up}{path}", json=body, auth=("me", asks))
        assert reply.status_code == 401, "only where nothing changes"
