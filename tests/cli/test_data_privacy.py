from __future__ import annotations

from commands import gleis
from trained_projects import edit, untrained


def test_datasheet_is_written_filled_in_checked_and_kept(tmp_path):
    folder = untrained(tmp_path / "shifting", "shifting")
    assert gleis(folder, "data", "add", "--until", "2024-02-03").code == 0
    assert "has no datasheet" in gleis(folder, "data", "datasheet").err
    assert "Wrote" in gleis(folder, "data", "datasheet", "--init").out
    sheet = folder / "datasheet.toml"
    assert "since = 2024-02-01" in sheet.read_text()
    assert 'data        = "none"' in sheet.read_text()
    assert "origin says nothing yet" in gleis(folder, "data", "datasheet").err
    assert "There is a datasheet already" in gleis(folder, "data", "datasheet", "--init").err
    sheet.write_text(sheet.read_text().replace("TODO ", ""))
    edit(sheet, "since = 2024-02-01", "since = 2024-02-02")
    told = gleis(folder, "data", "datasheet")
    assert "LicenseRef-Internal" in told.out
    assert "Rows begin on 2024-02-01, before the declared period" in told.out
    added = gleis(folder, "data", "add", "--until", "2024-02-05", "--json").json["version"]
    assert added["provenance"]["licence"] == "LicenseRef-Internal"
    assert len(added["provenance"]["datasheet"]) == 64


def test_rows_that_contradict_the_datasheet_are_not_added(tmp_path):
    folder = untrained(tmp_path / "shifting", "shifting")
    edit(
        folder / "shifting.py",
        '"pages": pages,',
        '"pages": pages, "note": [f"from v{i}@example.org" for i in range(n)],',
    )
    (folder / "gleis.toml").open("a").write('\n[features]\nexclude = ["note"]\n')
    added = gleis(folder, "data", "add", "--until", "2024-02-03")
    assert "Personal data: note: email." in added.out
    scanned = gleis(folder, "data", "scan", "--json").json
    assert [(one["column"], one["kind"]) for one in scanned["scan"]["findings"]] == [
        ("note", "email")
    ]
    assert (scanned["declared"], scanned["denied"]) == (None, [])
    (folder / "datasheet.toml").write_text(
        'origin = "us"\npurpose = "tests"\nlicence = "MIT"\npersonal.data = "none"\n'
    )
    told = gleis(folder, "data", "datasheet")
    assert "the rows that are there hold some (note: email)" in told.out
    refused = gleis(folder, "data", "add", "--until", "2024-02-05")
    assert refused.code != 0
    assert "column note holds email in 100.00% of its values" in refused.err
    assert "v0@example.org" not in refused.err
    assert len(gleis(folder, "data", "log", "--json").json) == 1
    denied = gleis(folder, "data", "scan")
    assert denied.code != 0
    assert "v•@•••••••.•••" in denied.out
    (folder / "datasheet.toml").open("a").write('personal.columns.note = "the shop itself"\n')
    assert gleis(folder, "data", "scan").code == 0
    assert "that are there hold" not in gleis(folder, "data", "datasheet").out
    assert gleis(folder, "data", "add", "--until", "2024-02-05").code == 0
