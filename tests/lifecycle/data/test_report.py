from __future__ import annotations

import pytest

from gleis.lifecycle.data.difference import compare_versions
from gleis.lifecycle.data.privacy import declared_for
from gleis.lifecycle.data.report import column_roles, report_data
from gleis.lifecycle.data.report_page import write_data_report
from gleis.lifecycle.project import Project
from trained_projects import copied, trained


@pytest.fixture
def project():
    return Project.open(trained("shifting"), {"data.subject": "channel"})


def test_the_subject_of_rows_is_masked(project, tmp_path):
    version = project.data.get("latest")
    report = report_data(project.bench, version)
    channel = next(each for each in report.analysis.columns if each.name == "channel")
    assert channel.personal == ("subject",)
    assert {each.value for each in channel.top} == {"w••", "p••••", "s•••"}
    page = write_data_report(report, tmp_path / "page.html").read_text()
    body = page[: page.index("<script>")]
    assert "phone" not in body
    assert "w••" in body
    found = compare_versions(project.bench, version, version)
    assert "phone" not in str(found)


def test_roles_are_the_projects(project):
    roles = column_roles(project.bench, project.data.get("latest"))
    assert {roles["visit"], roles["at"], roles["bought"]} == {"id", "time", "target"}
    assert roles["price"] == "feature"


def test_a_version_made_without_a_datasheet_takes_the_one_there_is(tmp_path):
    project = Project.open(copied(tmp_path / "shifting", "shifting"))
    version = project.data.get("latest")
    assert declared_for(project.bench, version) is None
    (tmp_path / "shifting" / "datasheet.toml").write_text(
        'origin = "us"\npurpose = "tests"\nlicence = "MIT"\npersonal.data = "none"\n'
        "collection.until = 2024-02-10\n"
    )
    assert declared_for(project.bench, version).licence == "MIT"
    notes = report_data(project.bench, version).notes
    assert any("after the declared period (until 2024-02-10)" in note for note in notes)
