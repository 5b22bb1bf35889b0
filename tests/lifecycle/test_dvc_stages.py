from __future__ import annotations

from gleis.lifecycle.dvc_stages import stages
from weather_project import make_weather

CODE = """
import more

def stations():
    return more.rows()
"""


def test_tables_that_functions_and_buckets_fill_are_filled_by_the_stage_of_data(tmp_path):
    more = '[datasets.rain]\nfrom = "s3://bucket/rain/"\n[datasets.clicks]\nfrom = "kafka://h/t"'
    project = make_weather(tmp_path, "mine:stations", more)
    (tmp_path / "mine.py").write_text(CODE)
    (tmp_path / "more.py").write_text("def rows():\n    return None\n")
    data = stages(tmp_path, project.settings)["data"]
    assert data["cmd"][:3] == ["gleis data add weather", "gleis data add rain", "gleis data add"]
    assert data["deps"] == ["mine.py", "more.py", "p.py"]
