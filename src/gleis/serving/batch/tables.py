"""Tables checked against the contract, column by column, for whoever brings many rows at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gleis.contracts.contract import Contract
from gleis.contracts.errors import DataError, InvalidRowError
from gleis.serving.batch.arrays import Array, ArrayField
from gleis.serving.limits import Limit, Limits, error_of, is_nan
from gleis.serving.renamed import guess_rename


class Table(NamedTuple):
    """Columns by name, each (n_rows,), and how many rows there are."""

    columns: Mapping[str, Any]
    rows: int


class Checked(NamedTuple):
    """A table's features as models take them."""

    columns: dict[str, Any]
    rows: int
    wrong: NDArray[np.intp]
    """Positions, increasing, of rows that break the contract; models must not see them."""
    flags: dict[str, NDArray[np.intp]]
    """``"distance: out of range"`` -> positions of the rows concerned."""


class TableReader:
    """Checks whole tables by the rules of ``RowReader``.

    Two things differ, because they do for tables: a column that is no feature is left alone, and
    NaN is a missing value.

    Parameters
    ----------
    contract : Contract

    Examples
    --------
    >>> from gleis.contracts.contract import Column
    >>> contract = Contract(
    ...     task="regression",
    ...     features=(Column(name="distance", kind="number", low=80, high=5000),),
    ...     target="delay",
    ... )
    >>> reader = TableReader(contract)
    >>> table = Table({"distance": np.array([9000.0, np.nan]), "flight": [7, 8]}, 2)
    >>> read = reader.read(table)
    >>> read.wrong.tolist(), read.flags["distance: out of range"].tolist()
    ([1], [0])
    >>> reader.reasons(table, read.wrong)
    ['distance must be a finite number: nan. Send a finite number; training saw 80 to 5000.']
    """

    def __init__(self, contract: Contract) -> None:
        self.fields = tuple(ArrayField(column) for column in contract.features)
        self._limits = Limits(contract)
        self._names = contract.names
        self._carried = (contract.id, contract.time, contract.target)

    def require(self, names: Sequence[str]) -> None:
        """See that a table with these columns has every feature.

        Raises
        ------
        InvalidRowError
            Naming the features it lacks.
        """
        missing = [name for name in self._names if name not in names]
        if not missing:
            return
        extra = [name for name in names if name not in (*self._names, *self._carried)]
        found = f" (unknown here: {', '.join(map(str, extra[:8]))})" if extra else ""
        raise InvalidRowError(
            f"{missing[0]} is missing{found}",
            remedy=f"{guess_rename(missing, extra)}Send every feature; "
            f"missing: {', '.join(missing)}.",
            field=missing[0],
        )

    def read(self, table: Table) -> Checked:
        """Check a table; rows that break the contract are in ``wrong``.

        Raises
        ------
        InvalidRowError
            It lacks a feature.
        DataError
            A column has another number of rows.
        """
        self.require(list(table.columns))
        arrays = [self._read(field, table) for field in self.fields]
        wrong = [array.wrong for array in arrays if len(array.wrong)]
        read = list(zip(self.fields, arrays, strict=True))
        columns = {field.name: array.values for field, array in read}
        flags = {field.flag: array.flagged for field, array in read if len(array.flagged)}
        for limit, positions in list(self._limits.failing(columns, flags)):
            if self._limits.refuse:
                wrong.append(positions)
            else:
                flags[limit.flag] = positions
        return Checked(
            columns=columns,
            rows=table.rows,
            wrong=np.unique(np.concatenate(wrong)) if wrong else np.empty(0, dtype=np.intp),
            flags=flags,
        )

    def reasons(self, table: Table, positions: NDArray[np.intp]) -> list[str]:
        """Say of each row at ``positions`` what is wrong with it: its first wrong feature."""
        return [str(self.error(table, position)) for position in positions.tolist()]

    def error(
        self, table: Table, position: int, where: str = "", also: str = ""
    ) -> InvalidRowError | None:
        """Return what is wrong with a row; None if nothing is.

        Parameters
        ----------
        table : Table
        position : int
            Of the row.
        where : str
            What the error calls the row.
        also : str
            Said behind the remedy.
        """
        checks = self._limits.limits if self._limits.refuse else ()
        for field in self.fields:
            value = table.columns[field.name][position]
            value = value.as_py() if hasattr(value, "as_py") else value
            value = value.item() if isinstance(value, np.generic) else value
            error = field.error(value) or _failed(checks, field.name, value)
            if error is not None:
                return InvalidRowError(
                    where + error.what, seen=value, remedy=error.remedy + also, field=error.field
                )
        return None

    def _read(self, field: ArrayField, table: Table) -> Array:
        values = table.columns[field.name]
        if len(values) != table.rows:
            raise DataError(
                f"The columns are not of one length: {field.name} differs",
                seen=len(values),
                remedy=f"Give {table.rows} values in each.",
                field=field.name,
            )
        return field.read(values)


def _failed(checks: Sequence[Limit], name: str, value: Any) -> InvalidRowError | None:
    """Return what a client reads of a value that fails a check."""
    value = None if is_nan(value) else value
    for limit in checks:
        if limit.name == name and limit.fails(value):
            return error_of(limit, value, "")
    return None


def to_table(rows: Any) -> Table:
    """Take any table as columns.

    Parameters
    ----------
    rows : mapping of str to sequence, or polars, pandas, pyarrow (whatever speaks Arrow)

    Raises
    ------
    DataError
        It is not a table.

    Examples
    --------
    >>> to_table({"distance": [800.0]}).rows
    1
    """
    if isinstance(rows, Mapping):
        sizes = [len(values) for values in rows.values()]
        return Table(rows, sizes[0] if sizes else 0)
    if hasattr(rows, "__arrow_c_stream__"):
        found = _from_arrow(rows)
    elif hasattr(rows, "__arrow_c_array__"):
        import pyarrow as pa

        found = pa.record_batch(rows)
    else:
        raise DataError(
            "This is not a table",
            seen=type(rows).__name__,
            remedy="Give a list of rows, a dict of columns, or a polars, pandas or pyarrow table.",
        )
    return from_arrow(found)


def from_arrow(table: Any) -> Table:
    """Take a pyarrow Table or RecordBatch as columns; the last of two with one name counts."""
    return Table(dict(zip(table.schema.names, table.columns, strict=True)), table.num_rows)


def _from_arrow(rows: Any) -> Any:
    import pyarrow as pa

    try:
        return pa.table(rows)
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError) as error:
        raise DataError(
            f"A column of the table mixes types: {error}",
            remedy="Give each column one type.",
        ) from error
