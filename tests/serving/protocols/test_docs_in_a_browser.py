"""The page at /docs as a browser shows it: a prediction by a click, and no other server."""

from __future__ import annotations

import json
import shutil

import pytest
from playwright.sync_api import sync_playwright
from small_packages import ROW

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium: apt-get install chromium, as .ci/run does"
)


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, service):
    """The page, noting what it asks the network for and what goes wrong in it."""
    page = browser.new_page(viewport={"width": 1200, "height": 1400})
    page.asked, page.wrong = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("console", lambda m: page.wrong.append(m.text) if m.type == "error" else None)
    page.goto(f"{service.url}/docs")
    page.wait_for_selector("#operations-Predictions_and_labels-predict")
    yield page
    page.close()


def test_every_operation_stands_on_the_page(page, client):
    document = client.get("/openapi.json").json()
    operations = [
        operation["operationId"]
        for item in document["paths"].values()
        for method, operation in item.items()
        if method in ("get", "post")
    ]
    assert page.locator(".opblock").count() == len(operations)
    assert page.wrong == []


def test_a_prediction_by_a_click(page, service):
    page.click("#operations-Predictions_and_labels-predict .opblock-summary-control")
    box = page.locator("#operations-Predictions_and_labels-predict")
    assert json.loads(box.locator("textarea").input_value()).keys() == ROW.keys()
    box.locator("textarea").fill(json.dumps(ROW))
    box.get_by_role("button", name="Execute").click()
    box.locator(".live-responses-table").wait_for()
    assert '"score": 0.625' in box.locator(".live-responses-table").inner_text()
    assert service.home.log.counts().predictions == 1
    assert page.wrong == []
    assert {url.split("?")[0].startswith((service.url, "data:")) for url in page.asked} == {True}
