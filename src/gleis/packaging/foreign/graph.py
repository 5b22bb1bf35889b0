"""A model that comes as ONNX: how it wants its rows, and which of its columns is which class."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np

from gleis.contracts.contract import Contract
from gleis.contracts.errors import PackageError
from gleis.packaging.foreign.opened import Opened
from gleis.packaging.foreign.settle import class_text
from gleis.packaging.onnx_model import TYPES, Layout, Session, as_numbers, read_scores

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

_CLEAR = 1e-5
"""By how much a probability is above the others in a row that tells the label of its column."""
_PROBABLE = 1e-4
"""How far probabilities may be off [0, 1] and their sum off 1: most models compute in float32."""
_SINGLE = ("tensor(float)", "tensor(double)")
_EXPORT = "Export it again: one float tensor of all features, or one input a column."


def open_onnx(path: Path, rows: pl.DataFrame, contract: Contract) -> Opened:
    """Audit an ONNX file, let a session answer some rows, and note how that was done.

    Parameters
    ----------
    path : Path
    rows : DataFrame, (n_rows, n_columns)
        Columns that may be features, as ``SklearnModel.frame`` types them.
    contract : Contract
        Its task and classes are read.

    Raises
    ------
    PackageError
        If it needs other files or operators of its own, does not fit the rows, or does not tell
        which of its outputs are the probabilities of which class.
    DataError
        If it wants whole numbers, and one is missing.
    """
    content = path.read_bytes()
    session = Session(content, path.name)
    inputs, features = _features(session, rows.columns)
    rows = rows.select(features)
    scored = _scored(session, contract)
    labels = [item for item in session.outputs if item.type in ("tensor(int64)", "tensor(string)")]
    wanted = [scored.name, *(item.name for item in labels[:1])]
    answer, *told = _ask(session, wanted, _feed(session, inputs, rows))
    layout = Layout(inputs=inputs, output=scored.name)
    if contract.classes is not None:
        layout = _with_classes(layout, answer, told, contract.classes)
    buffer = io.BytesIO()
    np.save(buffer, _scores(answer, layout, rows.height), allow_pickle=False)
    producer = re.sub(r"[^\w .-]", "", session.producer)[:40] or "an unnamed tool"
    return Opened(
        estimator=content,
        trusted=(),
        frame="polars",
        layout=layout,
        features=tuple(features),
        scores=buffer.getvalue(),
        kind=f"model in ONNX by {producer}",
        warnings=(),
    )


def _features(
    session: Session, columns: list[str]
) -> tuple[Literal["columns", "matrix"], list[str]]:
    for item in session.inputs:
        if item.type not in TYPES or len(item.shape) > 2:
            raise _odd_input(item, "An input of the ONNX model is no table or column")
        if item.shape and isinstance(item.shape[0], int):
            raise _odd_input(item, f"The ONNX model takes exactly {item.shape[0]} rows at once")
    names = [item.name for item in session.inputs]
    if len(names) == 1 and not (names[0] in columns and _width(session.inputs[0]) == 1):
        width = _width(session.inputs[0])
        if width not in (None, len(columns)):
            raise PackageError(
                f"The ONNX model takes {width} unnamed columns, the data hold {len(columns)}",
                seen=columns,
                remedy="Give data with these columns only, beside the target, in that order; or "
                "leave others out with --exclude.",
                field="data",
            )
        return "matrix", columns
    for item in session.inputs:
        if _width(item) not in (None, 1):
            raise _odd_input(item, "The ONNX model takes several tables")
    if missing := [name for name in names if name not in columns]:
        raise PackageError(
            "The data lack a column that the ONNX model takes",
            seen=missing[0],
            remedy=f"Give data with {', '.join(names)}.",
            field=missing[0],
        )
    return "columns", names


def _width(item: Any) -> int | None:
    """Return the number of columns; None if any number will do."""
    if len(item.shape) == 1:
        return 1
    last = item.shape[-1] if item.shape else None
    return last if isinstance(last, int) else None


def _odd_input(item: Any, what: str) -> PackageError:
    seen = f"{item.name}: {item.type} of {item.shape}"
    return PackageError(what, seen=seen, remedy=_EXPORT, field="model")


def _feed(
    session: Session, inputs: Literal["columns", "matrix"], rows: pl.DataFrame
) -> dict[str, Any]:
    """Hand over rows plainly; ``OnnxModel``, which serves, is held against what comes of it."""
    if inputs == "matrix":
        (item,) = session.inputs
        return {item.name: _table(rows, item)}
    feed = {}
    for item in session.inputs:
        table = _table(rows.select(item.name), item)
        feed[item.name] = table[:, 0] if len(item.shape) == 1 else table
    return feed


def _table(rows: pl.DataFrame, item: Any) -> NDArray[Any]:
    import polars as pl

    text = TYPES[item.type] is np.object_
    for column in rows:
        if (column.dtype == pl.String) != text:
            raise PackageError(
                f"The ONNX model takes {column.name} as a {item.type}, the data hold "
                f"{'text' if column.dtype == pl.String else 'numbers'}",
                remedy="Give the columns it was fitted on, as they went into it.",
                field=column.name,
            )
        if text and column.null_count():
            raise PackageError(
                f"{column.name} is missing in some rows, and ONNX has no missing text",
                remedy="Write into the data what stood for a missing text when it was fitted.",
                field=column.name,
            )
    if text:
        return np.array(rows.rows(), dtype=object).reshape(rows.shape)
    matrix = rows.select(pl.all().cast(pl.Float64)).to_numpy()
    return as_numbers(matrix, TYPES[item.type], tuple(rows.columns))


def _ask(session: Session, wanted: list[str], feed: dict[str, Any]) -> list[Any]:
    try:
        return session.run(wanted, feed)
    except session.raised as error:
        raise PackageError(
            f"The ONNX model does not answer these rows: {error}",
            remedy="Give the columns it was fitted on, in their order.",
            field="data",
        ) from error


def _scored(session: Session, contract: Contract) -> Any:
    """Find the output that holds the scores."""
    maps = [item for item in session.outputs if item.type.startswith("seq(map(")]
    found = [item for item in session.outputs if item.type in _SINGLE]
    if contract.classes is not None:
        likely = [item for item in found if "prob" in item.name.lower()]
        found = maps or (likely if len(likely) == 1 else found)
    if len(found) != 1:
        raise PackageError(
            "The ONNX model does not tell which output holds "
            f"its {'values' if contract.classes is None else 'probabilities'}",
            seen=[f"{item.name}: {item.type}" for item in session.outputs],
            remedy="Export it with one such output, named probabilities where there are several; "
            "--task says what the target is.",
            field="model",
        )
    return found[0]


def _with_classes(layout: Layout, answer: Any, told: list[Any], classes: tuple[str, ...]) -> Layout:
    if isinstance(answer, list):
        keys = tuple(answer[0])
        place = tuple(_position(key, classes) for key in keys)
        return msgspec.structs.replace(layout, keys=keys, place=place)
    scores = read_scores(answer, msgspec.structs.replace(layout, place=()))
    if told:
        place = _by_labels(scores, np.asarray(told[0]).reshape(-1), classes)
    else:
        place = _by_number(scores.shape[1], classes)
    return msgspec.structs.replace(layout, place=place)


def _position(value: Any, classes: Sequence[str]) -> int:
    names = [class_text(value)]
    if value in (0, 1) and set(classes) == {"false", "true"}:
        names.append(class_text(bool(value)))
    for name in names:
        if name in classes:
            return classes.index(name)
    raise PackageError(
        "The model knows a class that the data do not",
        seen=names[0],
        remedy=f"The data's classes are {', '.join(classes)}: give data that hold all.",
        field="target",
    )


def _by_labels(
    scores: NDArray[np.float64], labels: NDArray[Any], classes: tuple[str, ...]
) -> tuple[int, ...]:
    """Tell each column's class by the label of the rows where it is highest."""
    ordered = np.sort(scores, axis=1)
    clear = ordered[:, -1] - ordered[:, -2] > _CLEAR
    top = scores.argmax(axis=1)
    pairs = set(zip(top[clear].tolist(), labels[clear].tolist(), strict=True))
    known = {column: _position(label, classes) for column, label in pairs}
    if not len(pairs) == len(known) == len(set(known.values())):
        raise _untold("its label is not the class of the highest probability")
    columns = [column for column in range(scores.shape[1]) if column not in known]
    left = [place for place in range(len(classes)) if place not in known.values()]
    if len(columns) == len(left) == 1:
        known[columns[0]] = left[0]
    elif columns:
        raise _untold(f"column {columns[0]} is the highest in none of these rows")
    return tuple(known[column] for column in range(scores.shape[1]))


def _by_number(count: int, classes: tuple[str, ...]) -> tuple[int, ...]:
    """Without a label, columns are numbers; so must the classes be."""
    try:
        return tuple(_position(column, classes) for column in range(count))
    except PackageError as error:
        raise _untold("it has no output with the label") from error


def _untold(why: str) -> PackageError:
    return PackageError(
        f"It cannot be told which probability of the ONNX model is of which class: {why}",
        remedy="Export it with ZipMap, or with labels beside the probabilities, and give rows of "
        "every class; or number the classes 0, 1, 2, ... in the model's order.",
        field="model",
    )


def _scores(answer: Any, layout: Layout, count: int) -> NDArray[np.float64]:
    """Read the answer, if it is probabilities or values at all."""
    if layout.place is None and np.size(answer) != count:
        raise PackageError(
            f"The ONNX model answers {np.shape(answer)} values for {count} rows",
            remedy="Name the --task it was fitted for; a regression gives one value a row.",
            field="task",
        )
    scores = read_scores(answer, layout)
    if not np.isfinite(scores).all():
        raise PackageError(
            "The ONNX model answers what is no number to some rows",
            remedy="Impute missing values inside the model before it is exported.",
            field="data",
        )
    off = np.abs(scores - np.clip(scores, 0.0, 1.0)).max(initial=0.0)
    if layout.place is not None and max(off, np.abs(scores.sum(axis=1) - 1).max()) > _PROBABLE:
        raise PackageError(
            "The ONNX model gives no probabilities",
            seen=scores[0].tolist(),
            remedy="Export a classifier with predict_proba, not its decision function.",
            field="model",
        )
    return scores
