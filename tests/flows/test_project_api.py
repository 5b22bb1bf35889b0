"""Every task from data to a package that MLflow loads, by the Python API alone."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from html.parser import HTMLParser

import mlflow
import numpy as np
import pytest

from commands import gleis
from gleis import Project
from mlflow_uris import mlflow_at
from trained_projects import copied, edit, trained, untrained

TASKS = {"iris": "multiclass", "diabetes": "regression", "shifting": "binary"}
NOW = datetime(2024, 2, 21, tzinfo=UTC)


@pytest.fixture(scope="module", params=list(TASKS))
def name(request):
    return request.param


@pytest.fixture(scope="module")
def ran(name, tmp_path_factory):
    """A project and the result of its first run."""
    folder = untrained(tmp_path_factory.mktemp("api") / name, name)
    project = Project.open(folder, as_of=NOW if name == "shifting" else None)
    return project, project.run()


def asked(project, n_rows=20):
    """Return rows of the dataset as a request carries them, and as a pandas frame."""
    package = project.registry.path(project.registry.get("champion"))
    names = [column["name"] for column in project.data.describe() if column["role"] == "feature"]
    rows = project.data.read().select(names).tail(n_rows)
    return package, rows.to_dicts(), rows.to_pandas()


def scores(answers):
    """Return scores as the model gives them, (n_rows,) or (n_rows, n_classes)."""
    if "probabilities" in answers[0]:
        return np.array([list(answer["probabilities"].values()) for answer in answers])
    return np.array([answer["score"] for answer in answers])


def load(uri):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mlflow.pyfunc.load_model(uri)


def test_the_heuristic_is_version_1_and_the_model_beats_it(ran, name):
    project, result = ran
    assert project.settings.project.task == TASKS[name]
    assert result.promoted
    assert [version.number for version in project.registry.versions()] == [1, 2]
    aliases = {alias: version.number for alias, version in project.registry.aliases().items()}
    assert aliases == {"baseline": 1, "champion": 2, "previous": 1}
    loss = "rmse" if name == "diabetes" else "log_loss"
    assert result.run.evidence.gain[loss].low > 0


def test_every_figure_has_an_interval_around_it(ran):
    _, result = ran
    for figure, found in result.run.evidence.figures.items():
        assert found.low <= found.value <= found.high, figure
        assert np.isfinite([found.low, found.high]).all(), figure


def test_the_record_is_complete(ran):
    _, result = ran
    run = result.run
    assert run.dataset.content
    assert len(run.code.reached) == 64
    assert run.environment.lock
    assert {"split", "bootstrap"} <= set(run.seeds)
    assert {"fit", "examine", "baseline"} <= set(run.durations)
    assert run.package == result.outcome.version.digest
    assert run.tracking


def test_mlflow_loads_the_package_and_scores_as_we_do(ran):
    project, _ = ran
    package, rows, frame = asked(project)
    expected = scores(project.predict(rows))
    np.testing.assert_allclose(load(str(package)).predict(frame), expected, rtol=1e-12)


def test_mlflow_resolves_the_champion_by_its_alias(ran, name):
    project, _ = ran
    _, rows, frame = asked(project)
    with mlflow_at(project.home.tracking_uri):
        found = load(f"models:/{name}@champion")
    # MLflow leaves a note in the folder; the champion must go on answering.
    np.testing.assert_allclose(found.predict(frame), scores(project.predict(rows)), rtol=1e-12)
    assert gleis(project.folder, "verify", "champion").code == 0


def test_the_run_is_in_mlflow_with_its_figures(ran):
    project, result = ran
    client = mlflow.MlflowClient(tracking_uri=project.home.tracking_uri)
    tracked = client.get_run(result.run.tracking)
    assert tracked.data.tags["gleis.run"] == result.run.id
    assert tracked.data.tags["gleis.verdict"] == "passed"
    for figure, found in result.run.evidence.figures.items():
        assert tracked.data.metrics[figure] == pytest.approx(found.value)


class Cells(HTMLParser):
    """Collects the text of the cells, and whether every tag is closed."""

    def __init__(self, html):
        super().__init__()
        self.open, self.cells = [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] == ["td"]:
            self.cells[-1] += data


def test_a_notebook_shows_figures_and_gates(ran):
    _, result = ran
    html = result._repr_html_()
    found = Cells(html)
    assert found.open == []
    assert result.run.id in html
    assert "champion" in html
    for figure in result.run.evidence.figures:
        assert figure in found.cells
    for gate in result.verdict.gates:
        assert gate.reason in found.cells
    assert result.run.id in repr(result)


def test_a_notebook_shows_a_blocked_run_as_such(tmp_path):
    folder = copied(tmp_path / "iris")
    result = Project.open(folder, {"gates.accuracy": ">= 0.9999"}).run()
    assert not result.promoted
    assert not result.verdict.passed
    assert "kept, not promoted" in result._repr_html_()
    assert any("does not hold" in cell for cell in Cells(result._repr_html_()).cells)
    assert "not promoted" in repr(result)


def test_a_run_with_nothing_changed_shows_the_same(ran, name):
    project, result = ran
    again = Project.open(project.folder).run()
    assert again.unchanged
    assert again._repr_html_() == result._repr_html_()


@pytest.mark.parametrize("to", ["to_pandas", "to_arrow"])
def test_pandas_and_pyarrow_come_in_as_polars_does(tmp_path, to):
    folder = untrained(tmp_path / "iris")
    edit(folder / "iris.py", 'with_row_index("plant")', f'with_row_index("plant").{to}()')
    run = Project.open(folder).run().run
    expected = Project.open(trained("iris")).find_run("v2")
    assert run.dataset.content == expected.dataset.content
    assert run.evidence.figures == expected.evidence.figures
