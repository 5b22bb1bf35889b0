"""``@gleis.on_demand``: features computed from other columns of a row, in ``load`` and requests."""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import textwrap
from collections.abc import Callable, Sequence
from types import FunctionType, ModuleType
from typing import Any, overload

import numpy as np

from gleis.contracts.errors import ProjectError
from gleis.data.features.formula import BUILTINS, Formula, is_builtin, make_formula

_EXAMPLE = "@gleis.on_demand above def per_mile(delay, distance): return {...}"


class OnDemand:
    """A function of columns, and the text of it that travels in packages.

    Called, it is that text's function: what is used in ``load`` is what answers requests.

    Parameters
    ----------
    function : callable
        Of columns, (n_rows,) each; returns columns by name.
    inputs : sequence of str, optional
        Columns it is given, in the order of its parameters; by default those of their names.
    """

    def __init__(self, function: Callable[..., Any], inputs: Sequence[str] | None = None) -> None:
        if not isinstance(function, FunctionType):
            raise ProjectError(
                "gleis.on_demand stands above a function",
                seen=function,
                remedy=f"Write {_EXAMPLE}",
            )
        parameters = list(inspect.signature(function).parameters)
        self.inputs = tuple(parameters if inputs is None else inputs)
        if len(self.inputs) != len(parameters) or not parameters:
            raise ProjectError(
                f"{function.__name__} takes other columns than it is given",
                seen=f"{len(self.inputs)} inputs, {len(parameters)} parameters",
                remedy="Give inputs=[...] one column for each parameter.",
                field=function.__name__,
            )
        self.text = travelling_text(function)
        self._formula: Formula = make_formula(self.text, function.__name__)
        functools.update_wrapper(self, function)

    @property
    def name(self) -> str:
        """Name of the function."""
        return str(self.__name__)  # type: ignore[attr-defined]

    def __call__(self, *columns: Any) -> Any:
        """Return features of columns, (n_rows,) each, by name."""
        return self._formula(*columns)


@overload
def on_demand(function: Callable[..., Any], /) -> OnDemand: ...
@overload
def on_demand(
    *, inputs: Sequence[str] | None = None
) -> Callable[[Callable[..., Any]], OnDemand]: ...
def on_demand(
    function: Callable[..., Any] | None = None, /, *, inputs: Sequence[str] | None = None
) -> OnDemand | Callable[[Callable[..., Any]], OnDemand]:
    """Make features that are computed from other columns, in ``load`` and in every request.

    The function gets numpy columns, (n_rows,): numbers, integers and booleans as float64 with NaN
    for a missing value, text as objects with None, times as seconds since 1970 (UTC). It returns
    columns by name; NaN and infinity are missing values.

    Its text travels in the package, so it may hold assignments, arithmetic, comparisons, functions
    of numpy that treat each row by itself, constants of its module, and functions of the project
    that hold no more than that.

    Parameters
    ----------
    inputs : sequence of str, optional
        Columns it is given, in the order of its parameters; by default those of the parameters'
        names. They are columns of the rows, or features before it in ``gleis.join_features``.

    Raises
    ------
    ProjectError
        The function holds something that cannot travel; the line is named.

    Examples
    --------
    Write ``@gleis.on_demand`` above ``def per_mile(delay, distance):`` with the body
    ``return {"delay_per_mile": np.where(distance > 0, delay / distance, np.nan)}``.
    """
    if function is not None:
        return OnDemand(function)
    return lambda made: OnDemand(made, inputs)


def travelling_text(function: FunctionType) -> str:
    """Return the source of a function, and of the project's constants and functions it names.

    Raises
    ------
    ProjectError
        The source cannot be read, or a name in it is neither constant, function nor numpy.
    """
    found: dict[str, ast.stmt] = {}
    _gather(function, found)
    body = [found[name] for name in sorted(found)]
    return ast.unparse(ast.fix_missing_locations(ast.Module(body=body, type_ignores=[])))


def _gather(function: FunctionType, found: dict[str, ast.stmt]) -> None:
    node = _parsed(function)
    found[function.__name__] = node
    local = {argument.arg for argument in (*node.args.posonlyargs, *node.args.args)}
    local |= {argument.arg for argument in node.args.kwonlyargs}
    renames: dict[str, str] = {}
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            local.add(part.id)
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id not in local | found.keys() | BUILTINS.keys():
            _name(function, part.id, found, renames)
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id in renames:
            part.id = renames[part.id]


def _name(
    function: FunctionType, name: str, found: dict[str, ast.stmt], renames: dict[str, str]
) -> None:
    """Take along what a name stands for."""
    value = function.__globals__.get(name, _MISSING)
    if value is np:
        renames[name] = "np"
    elif isinstance(value, OnDemand):
        _gather(value.__wrapped__, found)  # type: ignore[attr-defined]
    elif isinstance(value, FunctionType):
        if value.__name__ != name:
            renames[name] = value.__name__
        if value.__name__ not in found:
            _gather(value, found)
    elif _is_constant(value):
        found[name] = ast.parse(f"{name} = {value!r}").body[0]
    else:
        raise ProjectError(
            f"{function.__name__} names something that cannot travel in a package",
            seen=name,
            remedy=_remedy(name, value),
            field=function.__name__,
        )


def _remedy(name: str, value: Any) -> str:
    if value is _MISSING and not is_builtin(name):
        return f"There is no {name} in its module."
    if isinstance(value, ModuleType):
        return "Of modules only numpy may be used: import numpy as np."
    return (
        "It may use numbers and texts of its module, functions that only calculate, and numpy; "
        "or compute the feature in load, or in a feature view."
    )


def _is_constant(value: Any) -> bool:
    items = value if isinstance(value, tuple | list) else (value,)
    return all(item is None or type(item) in (int, float, str, bool) for item in items)


def _parsed(function: FunctionType) -> ast.FunctionDef:
    linecache.checkcache(function.__code__.co_filename)
    try:
        source = textwrap.dedent(inspect.getsource(function))
        node = ast.parse(source).body[0]
    except (OSError, SyntaxError, IndexError) as error:
        raise ProjectError(
            f"The source of {function.__name__} cannot be read",
            seen=str(error),
            remedy="Write it into a file of the project.",
            field=function.__name__,
        ) from error
    if not isinstance(node, ast.FunctionDef):
        raise ProjectError(
            f"{function.__name__} is no plain function",
            seen=source[:80],
            remedy=f"Write {_EXAMPLE}",
            field=function.__name__,
        )
    node.decorator_list = []
    node.returns = None
    for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
        argument.annotation = None
    if ast.get_docstring(node) is not None:
        node.body = node.body[1:]
    return node


_MISSING = object()
