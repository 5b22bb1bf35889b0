"""A mitigated model from gleis.toml to an answered request."""

from __future__ import annotations

import pytest

from commands import gleis
from gleis import Project
from gleis.contracts.errors import RequestError
from gleis.contracts.mitigation import MITIGATIONS
from trained_projects import untrained

MODULE = """
import polars as pl
from mitigated_models import lending_model, lending_rows


def load(since, until):
    rows, paid = lending_rows()
    return rows.with_columns(paid=pl.Series(paid))


def build_model(params):
    return lending_model()
"""
TOML = """
[project]
name = "lending"
module = "lending"
task = "binary"
target = "paid"
[features]
exclude = ["sex"]
[evidence]
bootstrap = 30
[fairness]
protected = ["sex"]
mitigate = "{name}"
constraint = "statistical_parity"
"""


@pytest.fixture(scope="module", params=["threshold_optimizer", "exponentiated_gradient"])
def ran(request, tmp_path_factory):
    folder = untrained(tmp_path_factory.mktemp("lending") / "shifting", "shifting")
    (folder / "lending.py").write_text(MODULE)
    (folder / "gleis.toml").write_text(TOML.format(name=request.param))
    project = Project.open(folder)
    return request.param, project, project.run()


def test_the_evidence_names_the_mitigation(ran):
    name, _, result = ran
    assert result.run.evidence.fairness.mitigation == name
    assert any(
        note.startswith(f"Mitigated by {name} for sex") for note in result.run.evidence.notes
    )


def test_requests_carry_the_group_only_where_it_decides(ran):
    name, project, result = ran
    row = {"income": 50.0, "debt": 20.0, "job": "office"}
    if name == "threshold_optimizer":
        with pytest.raises(RequestError, match="sex"):
            project.predict([row])
        woman, man = project.predict([row | {"sex": "f"}, row | {"sex": "m"}])
        assert woman["score"] > man["score"]
    else:
        assert result.run.evidence.compiled.accepted
        assert 0 < project.predict([row])[0]["score"] < 1


@pytest.mark.parametrize("ran", ["threshold_optimizer"], indirect=True)
def test_a_sweep_draws_the_frontier(ran, tmp_path):
    _, project, _ = ran
    page, before = tmp_path / "sweep.html", len(project.runs())
    wish = ["--sweep", "--strength", "1", "--quality", "log_loss", "--html", str(page)]
    said = gleis(project.folder, "fairness", *wish)
    assert said.code == 0, said.err
    for name in ("no mitigation", *MITIGATIONS):
        assert name in said.out
    assert "What fairness by sex costs" in page.read_text()
    assert len(project.runs()) == before, "nothing is registered"
