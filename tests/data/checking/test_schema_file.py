from __future__ import annotations

import msgspec
import pytest

from gleis.config.data_settings import DatasetSettings
from gleis.contracts.errors import ProjectError
from gleis.data.checking.schema_file import has_schema, project_schema

HEAD = "import pandera.polars as pa\n"
X = "pa.DataFrameSchema({'x': pa.Column(int, pa.Check.ge(%d))})\n"


@pytest.fixture
def read(tmp_path, make_settings):
    def read(text, name=None):
        (tmp_path / "schema.py").write_text(text)
        settings = msgspec.structs.replace(
            make_settings(), datasets={"rail-weather": DatasetSettings()}
        )
        return project_schema(tmp_path, settings, name)

    return read


def limits(schema):
    return [check.value for check in schema.rows(["x"]) if check.rule == "min"]


def test_whose_a_schema_is(read):
    text = HEAD + "schema = " + X % 1 + "rail_weather = " + X % 2 + "_draft = " + X % 3
    assert limits(read(text)) == [1]
    assert limits(read(text, "rail-weather")) == [2]
    models = (
        HEAD + "class Both(pa.DataFrameModel):\n    x: int = pa.Field(ge=4)\n"
        "class P(Both):\n    pass\nclass RailWeatherSchema(Both):\n    x: int = pa.Field(ge=5)\n"
    )
    assert (limits(read(models)), limits(read(models, "rail-weather"))) == ([4], [5])
    assert limits(read(HEAD + "rows = " + X % 6)) == [6]
    assert read(HEAD + "schema = " + X % 1, "rail-weather") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = " + X % 1 + "b = " + X % 2, "nobody knows which dataset a is about"),
        ("schema = " + X % 1 + "P = " + X % 2, "P is about p too, as schema is"),
        ("schema = pa.DataFrameSchema(", "schema.py:2: this is not Python"),
        ("import nowhere", "imports a package that is not installed"),
    ],
)
def test_what_cannot_be_read_is_said(read, text, said):
    with pytest.raises(ProjectError, match=said):
        read(HEAD + text)


def test_a_schema_that_is_not_about_pandera_is_left_alone(tmp_path, read):
    assert not has_schema(None)
    assert not has_schema(tmp_path)
    assert read("raise SystemExit('pandera is not imported here')") is None
    assert read(HEAD + "schema = " + X % 1) is not None
