"""How each server is asked for rows, and where its answer holds the scores."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]
Scores = list[float]


def one_row(rows: list[Row]) -> Any:
    """Return the row itself: gleis, FastAPI and LitServe take it so."""
    return rows[0]


def under_rows(rows: list[Row]) -> Any:
    return {"rows": rows}


def plain_list(rows: list[Row]) -> Any:
    return rows


def split(rows: list[Row]) -> Any:
    """Return what ``/invocations`` reads fastest."""
    data = [list(row.values()) for row in rows]
    return {"dataframe_split": {"columns": list(rows[0]), "data": data}}


def v2(rows: list[Row]) -> Any:
    """Return a request of the Open Inference Protocol, one input a column."""
    inputs = []
    for name, value in rows[0].items():
        text = isinstance(value, str)
        tensor = {
            "name": name,
            "shape": [len(rows), 1],
            "datatype": "BYTES" if text else "FP64",
            "data": [row.get(name) for row in rows],
        }
        inputs.append(tensor | ({"parameters": {"content_type": "str"}} if text else {}))
    proba = [{"name": "predict_proba"}]
    return {"parameters": {"content_type": "pd"}, "inputs": inputs, "outputs": proba}


def gleis_scores(answer: Any) -> Scores:
    answers = answer.get("predictions", [answer])
    assert not any(one["fallback"] for one in answers), "the baseline answered"
    return [one["score"] for one in answers]


def named_scores(answer: Any) -> Scores:
    return answer["scores"] if "scores" in answer else [answer["score"]]


def bare_scores(answer: Any) -> Scores:
    return answer


def proba_scores(answer: Any) -> Scores:
    """Return the second of two probabilities, as MLflow lists them."""
    return [pair[1] for pair in answer["predictions"]]


def v2_scores(answer: Any) -> Scores:
    """Return every second value: the tensor comes flat."""
    return answer["outputs"][0]["data"][1::2]
