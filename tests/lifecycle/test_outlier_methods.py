"""Each outlier method from the settings into a package and to a flagged answer."""

from __future__ import annotations

import pytest

from benches import ROW, START, open_bench
from gleis.contracts.outliers import EcodOutliers, ForestOutliers
from gleis.lifecycle.asking import open_service, predict
from gleis.lifecycle.journey import run_on_demand
from trained_projects import copied


@pytest.mark.parametrize(
    ("method", "kind"), [("isolation_forest", ForestOutliers), ("ecod", EcodOutliers)]
)
def test_the_method_in_the_settings_is_packed_and_answers(tmp_path, method, kind):
    flags = {"evidence.outlier_method": method, "evidence.outliers": "1 in 20"}
    bench = open_bench(copied(tmp_path / "p", "shifting"), flags)
    assert run_on_demand(bench).promoted
    package = open_service(bench).package
    assert isinstance(package.outliers, kind)
    assert package.outliers.rate == 0.05
    assert package.outliers.threshold > 0
    usual, strange = predict(bench, [ROW, {"price": 60.0, "pages": 12, "channel": "fax"}])
    assert usual["flags"] == []
    assert strange["flags"][-1] == "outlier"
    first = bench.home.log.read()[0].batch
    assert first.at == START
    assert first.outliers[1] > package.outliers.threshold > first.outliers[0]
    bench.home.close()
