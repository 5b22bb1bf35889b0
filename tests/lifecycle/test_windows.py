from __future__ import annotations

import pytest

from gleis.contracts.errors import ConfigError, DataError
from gleis.lifecycle.project import Project
from gleis.lifecycle.windows import compare_windows
from trained_projects import copied


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    folder = copied(tmp_path_factory.mktemp("windows") / "iris")
    project = Project.open(folder)
    flowers = project.data.read().drop("plant", "species").rename({}).to_dicts()
    project.predict(flowers[:50])  # setosa: the first fifty
    return project.bench


def test_what_was_served_is_compared_with_what_was_learnt(bench):
    found = compare_windows(bench, "champion", "last-1d")
    assert found.current_rows == 50
    assert "petal_length" in found.changed
    assert "score:virginica" in found.changed
    assert not found.exact


def test_a_version_beside_itself_has_not_changed(bench, tmp_path):
    assert not compare_windows(bench, "v1", "latest").changed
    path = tmp_path / "rows.parquet"
    bench.read(bench.datasets.get(1)).write_parquet(path)
    found = compare_windows(bench, "v1", str(path))
    assert not found.changed
    assert "plant" not in {each.column for each in found.columns}
    served = compare_windows(bench, "v1", "log", columns=["petal_width"])
    assert served.changed == ("petal_width",)


@pytest.mark.parametrize(
    ("window", "error", "said"),
    [
        ("yesterday", ConfigError, "there is no such window: 'yesterday'"),
        ("last-month", ConfigError, "window is not a duration: 'month'"),
        ("2024-01-01..2024-02-01", ConfigError, "rows have no event time"),
        ("absent.csv", DataError, "The table cannot be read"),
        ("last-0s", DataError, "has no rows"),
    ],
)
def test_bad_windows(bench, window, error, said):
    with pytest.raises(error, match=said):
        compare_windows(bench, "champion", window)
