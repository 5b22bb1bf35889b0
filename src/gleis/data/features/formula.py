"""Functions of columns as text that may travel in a package: audited, then made callable.

A service imports no project, and a package holds no code that could do anything else than
calculate. So the function is written in a part of Python that can be read to the end: assignments,
arithmetic, comparisons, and functions of numpy that treat every row by itself. It therefore gives
one row of a request what it gives that row among millions.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from gleis.contracts.errors import ProjectError

Formula = Callable[..., Mapping[str, Any]]

ELEMENTWISE = frozenset(
    """
    abs absolute add arccos arcsin arctan arctan2 cbrt ceil clip cos cosh deg2rad degrees divide
    equal exp exp2 expm1 fabs floor floor_divide fmax fmin fmod greater greater_equal hypot isfinite
    isin isinf isnan less less_equal log log10 log1p log2 logical_and logical_not logical_or
    logical_xor maximum minimum mod multiply nan_to_num negative not_equal power rad2deg radians
    reciprocal remainder rint round select sign sin sinh sqrt square subtract tan tanh trunc where
    """.split()  # noqa: SIM905 - a page of quotes reads worse
)
"""What may be called of numpy: a row's result depends on nothing but that row."""
CONSTANTS = frozenset({"e", "inf", "nan", "pi"})
"""What else of numpy may be named."""
BUILTINS = {"abs": abs}

_STATEMENTS = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Expr)
_EXPRESSIONS = (
    ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.Constant, ast.Name, ast.Attribute,
    ast.Dict, ast.Tuple, ast.List, ast.keyword, ast.operator, ast.unaryop, ast.cmpop,
    ast.expr_context,
)  # fmt: skip
_INSTEAD: tuple[tuple[type[ast.AST], str, str], ...] = (
    (ast.BoolOp, "and, or", "Write & and | with brackets around both."),
    (ast.Not, "not", "Write ~(condition)."),
    (ast.IfExp, "if, else", "Write np.where(condition, then, other)."),
    (ast.In, "in", "Write np.isin."),
    (ast.NotIn, "not in", "Write ~np.isin."),
    (ast.Is, "is", "Write np.isnan or ==."),
    (ast.IsNot, "is not", "Write ~np.isnan or !=."),
)
_NUMPY = SimpleNamespace(**{name: getattr(np, name) for name in ELEMENTWISE | CONSTANTS})
_PLAIN = (int, float, str, bool, type(None))


def make_formula(text: str, name: str) -> Formula:
    """Make a function of its text, after the audit.

    Parameters
    ----------
    text : str
        Assignments of constants, and functions; ``np`` is numpy.
    name : str
        Of the function wanted.

    Raises
    ------
    ProjectError
        It holds something that may not travel; the line is named.

    Examples
    --------
    >>> headwind = make_formula("def headwind(wind): return {'knots': wind * 1.944}", "headwind")
    >>> headwind(np.array([10.0]))["knots"]
    array([19.44])
    """
    tree = ast.parse(text)
    for node in tree.body:
        _check_top(node)
    _check_acyclic(tree, name)
    room: dict[str, Any] = {"__builtins__": dict(BUILTINS), "np": _NUMPY}
    exec(compile(tree, f"<{name}>", "exec"), room)  # noqa: S102 - audited above
    found = room.get(name)
    if not callable(found):
        raise ProjectError(f"{name} is not among the functions that travel", seen=text[:80])
    return found  # type: ignore[no-any-return]


def audit(function: ast.FunctionDef) -> None:
    """Check that a function only calculates, row by row.

    Raises
    ------
    ProjectError
        Naming the line and what stands there.
    """
    arguments = function.args
    if arguments.vararg or arguments.kwarg:
        raise _refused(function, function, "*args and **kwargs")
    for default in (*arguments.defaults, *arguments.kw_defaults):
        if default is not None and not _is_plain(default):
            raise _refused(function, default, "a default that is no constant")
    for position, node in enumerate(function.body):
        if position == 0 and _is_text(node):
            continue
        if not isinstance(node, _STATEMENTS) or isinstance(node, ast.Expr):
            raise _refused(function, node, type(node).__name__.lower())
        _check_targets(function, node)
        for value in _values(node):
            _check_expression(function, value)


def _check_top(node: ast.stmt) -> None:
    if isinstance(node, ast.FunctionDef):
        if node.decorator_list:
            raise _refused(node, node, "a decorator")
        audit(node)
    elif not (
        isinstance(node, ast.Assign)
        and len(node.targets) == 1
        and isinstance(node.targets[0], ast.Name)
        and _is_plain(node.value)
    ):
        raise ProjectError(
            "Text that travels in a package holds more than constants and functions",
            seen=ast.unparse(node)[:80],
            remedy="Do not load it; build the package again with gleis run.",
        )


def _check_targets(function: ast.FunctionDef, node: ast.stmt) -> None:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    for target in targets:
        if target is not None and not isinstance(target, ast.Name):
            raise _refused(function, node, f"an assignment to {ast.unparse(target)}")


def _values(node: ast.stmt) -> Sequence[ast.expr]:
    value: ast.expr | None = getattr(node, "value", None)
    return () if value is None else (value,)


def _check_expression(function: ast.FunctionDef, value: ast.expr) -> None:
    for node in ast.walk(value):
        for kind, what, remedy in _INSTEAD:
            if isinstance(node, kind):
                raise _refused(function, node, what, remedy)
        if not isinstance(node, _EXPRESSIONS):
            raise _refused(function, node, type(node).__name__.lower())
        if isinstance(node, ast.Compare) and len(node.ops) > 1:
            raise _refused(function, node, "a < b < c", "Write (a < b) & (b < c).")
        if isinstance(node, ast.Constant) and not isinstance(node.value, _PLAIN):
            raise _refused(function, node, repr(node.value))
        if isinstance(node, ast.Name) and node.id.startswith("__"):
            raise _refused(function, node, node.id)
        if isinstance(node, ast.Attribute):
            _check_attribute(function, node)
        if isinstance(node, ast.Call) and not isinstance(node.func, ast.Name | ast.Attribute):
            raise _refused(function, node, "a call")


def _check_attribute(function: ast.FunctionDef, node: ast.Attribute) -> None:
    of_numpy = isinstance(node.value, ast.Name) and node.value.id == "np"
    if not of_numpy:
        raise _refused(function, node, f".{node.attr}", "Write np.function(column) instead.")
    if node.attr not in ELEMENTWISE | CONSTANTS:
        raise _refused(
            function,
            node,
            f"np.{node.attr}",
            "Only functions that treat each row by itself may be used: np.where, np.log, "
            "np.minimum and the like; what looks at other rows belongs into a feature view.",
        )


def _check_acyclic(tree: ast.Module, name: str) -> None:
    """Refuse functions that call themselves: they might not end."""
    calls = {
        node.name: {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }
    done: set[str] = set()
    while ready := {
        f for f, named in calls.items() if f not in done and not ((named & calls.keys()) - done)
    }:
        done |= ready
    if done != calls.keys():
        raise ProjectError(
            f"{name} calls itself, by itself or through others",
            seen=sorted(calls.keys() - done),
            remedy="Functions that travel in a package must end: write it without.",
            field=name,
        )


def _is_plain(node: ast.expr) -> bool:
    """Say whether an expression is a number, a text, or a tuple or list of such."""
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return False
    items = value if isinstance(value, tuple | list) else (value,)
    return all(isinstance(item, _PLAIN) for item in items)


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def is_builtin(name: str) -> bool:
    """Say whether a name is one of Python's own, so that its absence is not a slip of the pen."""
    return hasattr(builtins, name)


def _refused(
    function: ast.FunctionDef, node: ast.AST, what: str, remedy: str | None = None
) -> ProjectError:
    line = getattr(node, "lineno", function.lineno) - function.lineno + 1
    return ProjectError(
        f"{function.name}, line {line}: {what} cannot travel in a package",
        seen=ast.unparse(node)[:80],
        remedy=remedy
        or "Write it with assignments, arithmetic, comparisons and functions of numpy such as "
        "np.where; or compute the feature in load, or in a feature view.",
        field=function.name,
    )
