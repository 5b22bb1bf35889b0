"""The forms in which MLflow's scoring protocol takes a table, turned into rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

from gleis.contracts.contract import Column, Contract
from gleis.contracts.errors import MalformedError
from gleis.serving.json_bodies import read_json
from gleis.serving.rows import Row

FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
_REMEDY = f"Send an object with exactly one of {', '.join(FORMS)}."
_EMPTY = ("", "NULL", "null", "None", "NaN", "nan", "-NaN", "-nan")
_NOT_AVAILABLE = ("NA", "N/A", "n/a", "<NA>", "#NA", "#N/A", "#N/A N/A")
_INDEFINITE = ("1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN")
_MISSING = frozenset((*_EMPTY, *_NOT_AVAILABLE, *_INDEFINITE))
"""What pandas takes for a missing value in CSV."""
_TRUTHS = {"true": True, "false": False}


class TableReader:
    """Reads rows as MLflow's model signature would take them.

    As there, columns that are no features are ignored, and a nullable feature may be left out.
    The id and time columns are kept, for the log.

    Parameters
    ----------
    contract : Contract

    Examples
    --------
    >>> contract = Contract(
    ...     task="regression", features=(Column(name="x", kind="number"),), target="y"
    ... )
    >>> TableReader(contract).from_json(b'{"dataframe_records": [{"x": 1.5, "colour": "red"}]}')
    [{'x': 1.5}]
    """

    def __init__(self, contract: Contract) -> None:
        self._names = contract.names
        self._columns = {column.name: column for column in contract.features}
        self._known = frozenset((*contract.names, *contract.carried))
        required = set(contract.required)  # the others are looked up or computed
        self._nullable = [c.name for c in contract.features if c.nullable and c.name in required]

    def from_json(self, body: bytes) -> list[Row]:
        """Read one of the four JSON forms.

        Raises
        ------
        MalformedError
            Not JSON, or of another form.
        """
        content = read_json(body)
        if not isinstance(content, dict):
            raise MalformedError("The body is no object", seen=content, remedy=_REMEDY)
        given = [form for form in FORMS if form in content]
        if len(given) != 1:
            raise MalformedError(
                "The body holds no table, or several", seen=[*content], remedy=_REMEDY
            )
        readers: dict[str, Callable[[Any], list[dict[str, Any]]]] = {
            "dataframe_split": self._split,
            "dataframe_records": self._records,
            "instances": self._listed,
            "inputs": self._inputs,
        }
        return self._kept(readers[given[0]](content[given[0]]))

    def from_csv(self, body: bytes) -> list[Row]:
        """Read CSV with a line of column names; what pandas takes for missing is missing.

        Raises
        ------
        MalformedError
            Not UTF-8, not CSV, or a line is longer or shorter than the first.
        """
        try:
            lines = [line for line in csv.reader(io.StringIO(body.decode("utf-8-sig"))) if line]
        except (UnicodeDecodeError, csv.Error) as error:
            raise MalformedError(
                f"The body is not CSV in UTF-8: {error}",
                remedy="Send what pandas.DataFrame.to_csv writes.",
            ) from error
        if not lines:
            raise MalformedError("The body is empty", remedy="Send a line of column names first.")
        names, *texts = lines
        rows = self._table(names, texts)
        readers = {name: _text_reader(column) for name, column in self._columns.items()}
        for row in rows:
            for name in row.keys() & readers.keys():
                row[name] = readers[name](row[name])
        return self._kept(rows)

    def _split(self, table: Any) -> list[dict[str, Any]]:
        keys = set(table) if isinstance(table, dict) else set()
        if "data" not in keys or keys - {"columns", "data", "index"}:
            raise MalformedError(
                "dataframe_split is an object of columns and data",
                seen=table,
                remedy='Send {"columns": [...], "data": [[...], ...]}; index may come along.',
                field="dataframe_split",
            )
        names = table.get("columns")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise MalformedError(
                "dataframe_split names its columns",
                seen=names,
                remedy=f"Send columns as a list of {', '.join(self._names)}.",
                field="columns",
            )
        return self._table(names, _lists(table["data"], len(names) == 1))

    def _records(self, rows: Any) -> list[dict[str, Any]]:
        if not isinstance(rows, list):
            raise MalformedError(
                "dataframe_records is a list of objects",
                seen=rows,
                remedy="Send one object for each row.",
                field="dataframe_records",
            )
        for place, row in enumerate(rows):
            if not isinstance(row, dict):
                raise MalformedError(
                    f"rows[{place}] is no object", seen=row, remedy="Send feature names and values."
                )
        return rows

    def _listed(self, rows: Any) -> list[dict[str, Any]]:
        """Read a list of objects, or of lists in the contract's order."""
        if isinstance(rows, list) and rows and isinstance(rows[0], dict):
            return self._records(rows)
        return self._table(list(self._names), _lists(rows, len(self._names) == 1))

    def _inputs(self, table: Any) -> list[dict[str, Any]]:
        if not isinstance(table, dict):
            return self._listed(table)
        columns = {
            name: [_single(value) for value in values] if isinstance(values, list) else [values]
            for name, values in table.items()
        }
        lengths = {name: len(values) for name, values in columns.items()}
        if len(set(lengths.values())) > 1:
            raise MalformedError(
                "The columns are not of one length",
                seen=lengths,
                remedy="Send as many values for each.",
                field="inputs",
            )
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def _table(self, names: Sequence[str], rows: Sequence[list[Any]]) -> list[dict[str, Any]]:
        if len(set(names)) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise MalformedError(
                "A column comes twice", seen=twice, remedy="Send it once.", field=twice
            )
        for place, row in enumerate(rows):
            if len(row) != len(names):
                raise MalformedError(
                    f"rows[{place}] has {len(row)} values for {len(names)} columns",
                    seen=row,
                    remedy=f"Send one for each of {', '.join(names)}.",
                )
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _kept(self, rows: list[dict[str, Any]]) -> list[Row]:
        known, nullable = self._known, dict.fromkeys(self._nullable)
        return [
            nullable | {name: value for name, value in row.items() if name in known} for row in rows
        ]


def _lists(rows: Any, single: bool) -> list[list[Any]]:
    """Return rows as lists; the values of a lone column may stand without brackets."""
    if isinstance(rows, list):
        if all(isinstance(row, list) for row in rows):
            return rows
        if single and not any(isinstance(row, list | dict) for row in rows):
            return [[value] for value in rows]
    raise MalformedError(
        "The table is no list of rows",
        seen=rows,
        remedy="Send one list for each row, or one object for each.",
    )


def _single(value: Any) -> Any:
    """Take [3] for 3: a column may come as a tensor of shape [n, 1]."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _text_reader(column: Column) -> Callable[[str], Any]:
    """Return what turns a CSV field into a value; what it cannot read stays a text."""
    known = frozenset(column.categories or ())
    converters: dict[str, Callable[[str], Any]] = {
        "number": float,
        "integer": _whole,
        "boolean": lambda text: _TRUTHS.get(text.lower(), text),
        "category": str,
    }
    convert = converters[column.kind]

    def read(text: str) -> Any:
        if text in _MISSING and text not in known:
            return None
        try:
            return text if "_" in text and column.kind != "category" else convert(text)
        except ValueError:
            return text

    return read


def _whole(text: str) -> float | int:
    try:
        return int(text)
    except ValueError:
        return float(text)
