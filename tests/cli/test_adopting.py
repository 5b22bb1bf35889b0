from __future__ import annotations

import pandas as pd
import skops.io
from sklearn.linear_model import LogisticRegression

from commands import gleis


def make(tmp_path):
    rows = pd.DataFrame({"x": [i / 100 for i in range(400)]})
    rows["y"] = (rows["x"] + (rows.index % 7) / 10 > 2).astype(int)
    rows.to_csv(tmp_path / "rows.csv", index=False)
    skops.io.dump(LogisticRegression().fit(rows[["x"]], rows["y"]), tmp_path / "m.skops")


def test_adopt_tells_how_to_serve(tmp_path):
    make(tmp_path)
    done = gleis(tmp_path, "adopt", "m.skops", "--data", "rows.csv", "--target", "y")
    assert done.code == 0, done.err
    assert "is champion" in done.out
    assert "gleis serve" in done.out
    assert "curl -s localhost:8000/predict -d" in done.out
    again = gleis(tmp_path, "adopt", "m.skops", "--data", "rows.csv", "--target", "y")
    assert again.code != 0
    assert "holds a project already" in again.err


def test_adopt_as_json(tmp_path):
    make(tmp_path)
    done = gleis(tmp_path, "adopt", "m.skops", "--data", "rows.csv", "--target", "y", "--json")
    told = done.json
    assert told["outcome"]["promoted"] is True
    assert set(told["example"]) == {"x"}
    wrong = gleis(
        tmp_path, "adopt", "m.skops", "--data", "rows.csv", "--target", "y", "--task", "rank"
    )
    assert wrong.code != 0
    assert "binary, multiclass or regression" in wrong.err
