"""The checks that ``gleis.toml`` declares, in the one internal form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gleis.config.datasets import dataset_spec
from gleis.contracts.checks import Checks, RowCheck, Rule, TableCheck, TableRule
from gleis.contracts.clock import utc

if TYPE_CHECKING:
    from gleis.config.check_settings import ColumnChecks, RowsChecks
    from gleis.config.settings import Settings

_RULES: tuple[tuple[str, Rule], ...] = (
    ("min", "min"),
    ("above", "above"),
    ("max", "max"),
    ("below", "below"),
    ("among", "in"),
    ("not_among", "not_in"),
    ("matches", "matches"),
    ("min_length", "min_length"),
    ("max_length", "max_length"),
)
_TABLE_RULES: tuple[tuple[str, TableRule], ...] = (
    ("max_missing", "missing"),
    ("fresh", "fresh"),
    ("max_psi", "psi"),
)
_COUNTS: tuple[TableRule, ...] = ("min", "max", "min_new", "max_new")


def declared_checks(settings: Settings, name: str | None = None) -> Checks:
    """Return what ``gleis.toml`` says that the rows of a dataset must hold.

    Parameters
    ----------
    settings : Settings
    name : str, optional
        Of ``[datasets.NAME]``; by default the project's own dataset.

    Raises
    ------
    RegistryError
        If the project has no dataset of that name.

    Examples
    --------
    >>> from gleis.config.check_settings import ColumnChecks
    >>> from gleis.config.data_settings import DataSettings
    >>> from gleis.config.settings import ProjectSettings, Settings
    >>> settings = Settings(
    ...     project=ProjectSettings(name="p", module="p", task="binary", target="late"),
    ...     data=DataSettings(checks={"temp": ColumnChecks(type="number", min=-40)}),
    ... )
    >>> [check.failure for check in declared_checks(settings).rows]
    ['temp: below -40']
    """
    own = dataset_spec(settings, name).name == settings.project.name
    found = settings.data if own else settings.datasets[name or ""]
    columns: Mapping[str, ColumnChecks] = found.checks
    return Checks(
        types={column: each.type for column, each in columns.items() if each.type is not None},
        required=tuple(columns),
        rows=(
            *(check for column, each in columns.items() for check in _rows(column, each, settings)),
            *_unique(found.rows),
        ),
        tables=(
            *(check for column, each in columns.items() for check in _tables(column, each)),
            *_counts(found.rows),
        ),
    )


def _rows(name: str, column: ColumnChecks, settings: Settings) -> Iterator[RowCheck]:
    if column.type == "integer":
        yield RowCheck(column=name, rule="whole")
    if not column.nullable:
        yield RowCheck(column=name, rule="present")
    for key, rule in _RULES:
        if (value := getattr(column, key)) is not None:
            yield RowCheck(column=name, rule=rule, value=_value(value))
    if column.unique:
        yield RowCheck(column=name, rule="unique")
    if column.references is not None:
        yield RowCheck(column=name, rule="references", value=_target(column.references, settings))


def _value(value: Any) -> Any:
    return utc(value) if isinstance(value, datetime) else value


def _target(text: str, settings: Settings) -> str:
    """Return ``dataset.column``; a dataset alone means its id."""
    name, _, column = text.partition(".")
    return f"{name}.{column or dataset_spec(settings, name).id}"


def _tables(name: str, column: ColumnChecks) -> Iterator[TableCheck]:
    for key, rule in _TABLE_RULES:
        if (value := getattr(column, key)) is not None:
            yield TableCheck(rule=rule, value=value, column=name)


def _unique(rows: RowsChecks) -> Iterator[RowCheck]:
    for columns in rows.unique:
        yield RowCheck(column=columns[0], columns=columns, rule="unique")


def _counts(rows: RowsChecks) -> Iterator[TableCheck]:
    for rule in _COUNTS:
        if (value := getattr(rows, rule)) is not None:
            yield TableCheck(rule=rule, value=value)
