from __future__ import annotations

import pytest

from commands import gleis
from trained_projects import edit, untrained


@pytest.fixture(scope="module")
def versions(tmp_path_factory):
    """v1, v2 with rows of a dearer month, v3 with a value mended and a column more."""
    folder = untrained(tmp_path_factory.mktemp("diff") / "shifting", "shifting")
    for until in ("2024-02-21", "2024-03-15"):
        assert gleis(folder, "data", "add", "--until", until).code == 0
    edit(
        folder / "shifting.py",
        '"bought": bought.astype(int),',
        '"bought": bought.astype(int), "year": [2024] * n,',
    )
    edit(
        folder / "shifting.py",
        '"channel": channel,',
        '"channel": np.where(np.arange(n) == 5, "web", channel),',
    )
    edit(folder / "shifting.py", '"price": price,', '"price": price + (np.arange(n) < 3),')
    assert gleis(folder, "data", "add", "--until", "2024-03-15").code == 0
    return folder


def test_diff_tells_rows_and_what_moved(versions):
    said = gleis(versions, "data", "diff", "v1", "v2")
    lines = said.out.splitlines()
    assert lines[0] == "shifting@v1 -> shifting@v2  2,400 -> 5,160 rows"
    assert lines[1] == "  columns  the same"
    assert lines[2] == "  rows     2,760 added, 0 removed, 0 changed, 2,400 the same (by id)"
    assert "bought (target)" in said.out
    price = next(line for line in lines if line.startswith("price"))
    assert "sd [" in price
    assert "ends 2024-02-20 23:48 -> 2024-03-14 23:48" in said.out
    assert "--added compares" in said.out


def test_added_rows_alone_move_more(versions):
    def effect(*flags):
        found = gleis(versions, "data", "diff", "v1", "v2", "--json", *flags).json
        return next(each for each in found["shifts"] if each["column"] == "price")["difference"]

    assert effect("--added") > 1.2 * effect()


def test_diff_tells_changed_values_and_columns(versions):
    found = gleis(versions, "data", "diff", "2", "--json").json
    assert found["columns_added"] == ["year"]
    assert found["rows"]["changed"] in (3, 4)  # row 5 may have come by the web already
    edits = {each["column"]: each for each in found["rows"]["columns"]}
    assert edits["price"]["rows"] == 3
    assert [cell["id"] for cell in edits["price"]["examples"]] == ["0", "1", "2"]
    assert found["equal"] is False
    assert "added year" in gleis(versions, "data", "diff", "2").out


def test_diff_of_a_version_with_itself(versions):
    assert "Both hold the same rows." in gleis(versions, "data", "diff", "v1", "v1").out
    assert gleis(versions, "data", "diff", "v1", "v9").code != 0


def test_diff_writes_a_page(versions):
    found = gleis(versions, "data", "diff", "v1", "v3", "--html", "--json").json
    assert found["page"].endswith("reports/data-shifting-v1-shifting-v3.html")
    page = (versions / ".gleis" / "reports" / "data-shifting-v1-shifting-v3.html").read_text()
    body = page[: page.index("<script>")]
    assert "shifting@v1 and shifting@v3" in body
    assert "added: <code>year</code>" in body
    assert "https://" not in body
    assert '"effects"' in page[page.rindex("const charts") :]


def test_where_no_rows_were_added_there_is_nothing_to_compare(versions):
    said = gleis(versions, "data", "diff", "v2", "v1", "--added").out
    assert "No rows were added" in said
    assert "within chance" not in said


def test_rows_of_other_columns_are_told_by_those_that_both_have(versions):
    found = gleis(versions, "data", "diff", "v1", "v3").out
    assert "(by id)" in found
    edit(versions / "gleis.toml", 'id = "visit"\n', "")
    try:
        found = gleis(versions, "data", "diff", "v1", "v3").out
    finally:
        edit(versions / "gleis.toml", "[project]\n", '[project]\nid = "visit"\n')
    assert "(by the columns that both have)" in found


def test_the_page_of_the_added_rows_has_a_name_of_its_own(versions):
    pages = [
        gleis(versions, "data", "diff", "v1", "v2", "--html", "--json", *flags).json["page"]
        for flags in ((), ("--added",))
    ]
    assert pages[0] != pages[1]
