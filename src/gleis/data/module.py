"""The project's own module: ``load``, ``build_model`` and ``baseline``, checked and callable."""

from __future__ import annotations

import functools
import hashlib
import importlib
import inspect
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from gleis.contracts.errors import GleisError, ProjectError
from gleis.data.folder_imports import FolderImports

_EXAMPLES = {
    "load": "def load(since, until):",
    "build_model": "def build_model(params):",
    "baseline": "def baseline(rows): or def baseline(rows, history):",
}

_PERIOD = ["since", "until"]
_FEATURES = "features"
"""Module beside the project's own in which feature views may be."""


@dataclass(frozen=True)
class ProjectModule:
    """A project's module.

    The functions are the project's own; what they raise comes out as a ProjectError that names
    the file and the line.
    """

    load: Callable[..., Any]
    """``load(since, until)`` -> table."""
    build_model: Callable[..., Any]
    """``build_model(params)`` -> unfitted estimator."""
    baseline: Callable[..., Any] | None
    """``baseline(rows, history)`` -> predictions, (n_rows,) or (n_rows, n_classes).

    ``history`` may always be given; it is passed on if the project's function takes it.
    """
    baseline_takes_history: bool
    name: str
    """As in ``project.module``."""
    path: Path
    """The file."""
    members: Callable[[], list[Any]] = list
    """Returns what the module, and a ``features.py`` beside it, define and import."""


@dataclass(frozen=True)
class ProjectFunction:
    """A function of the project that gives the rows of a table."""

    call: Callable[..., Any]
    """What it raises comes out as a ProjectError that names the line."""
    takes_period: bool
    """Whether it is called with ``(since, until)``; if not, with nothing."""


def open_function(folder: Path, name: str, function: str) -> ProjectFunction:
    """Import one function of a module in the project folder, afresh.

    Raises
    ------
    ProjectError
        The file or the function is missing, the file does not import, or the function takes other
        parameters than none, or ``since, until``.
    """
    folder = folder.resolve()
    path, imports = folder / f"{name}.py", FolderImports(folder)
    example = f"def {function}(): or def {function}(since, until):"
    if not path.is_file():
        raise ProjectError(
            f"There is no module {name}.py in the project folder",
            seen=str(folder),
            remedy=f"Create it with {example}",
            field=function,
        )
    found = _required(_execute(path, name, imports), function, path, example)
    takes_period = [*inspect.signature(found).parameters][:2] == _PERIOD
    _check_parameters(found, function, 2 * takes_period, path, example)
    return ProjectFunction(_guard(found, function, path, imports), takes_period)


def open_module(folder: Path, name: str) -> ProjectModule:
    """Import ``name`` from ``folder`` afresh.

    Nothing stays behind on ``sys.path``, and two projects whose modules share a name do not meet.
    Modules beside it may be imported as usual.

    Parameters
    ----------
    folder : Path
        The project folder.
    name : str
        Name of the module: its file without ``.py``.

    Raises
    ------
    ProjectError
        If the file is missing or does not import, or if ``load`` or ``build_model`` is missing or
        takes other parameters.
    """
    folder = folder.resolve()
    path = folder / f"{name}.py"
    imports = FolderImports(folder) if folder.is_dir() else None
    if imports is None or not path.is_file():
        raise ProjectError(
            f"There is no module {name}.py in the project folder",
            seen=str(folder),
            remedy="Create it with load(since, until) and build_model(params), or mend "
            "project.module in gleis.toml.",
            field="project.module",
        )
    module = _execute(path, name, imports)
    load, build_model = _required(module, "load", path), _required(module, "build_model", path)
    _check_parameters(load, "load", 2, path)
    _check_parameters(build_model, "build_model", 1, path)
    baseline = getattr(module, "baseline", None)
    takes_history = baseline is not None and _takes_history(baseline, path)
    return ProjectModule(
        load=_guard(load, "load", path, imports),
        build_model=_guard(build_model, "build_model", path, imports),
        baseline=None
        if baseline is None
        else _with_history(_guard(baseline, "baseline", path, imports), takes_history),
        baseline_takes_history=takes_history,
        name=name,
        path=path,
        members=lambda: _members(module, path, imports),
    )


def _members(module: ModuleType, path: Path, imports: FolderImports) -> list[Any]:
    """Return what a module and the ``features.py`` beside it hold.

    Raises
    ------
    ProjectError
        ``features.py`` does not import.
    """
    found = [*vars(module).values()]
    if (path.parent / f"{_FEATURES}.py").is_file() and path.stem != _FEATURES:
        try:
            with imports.entered():
                found += vars(importlib.import_module(_FEATURES)).values()
        except GleisError:
            raise
        except Exception as error:
            raise _import_error(error, path.with_name(f"{_FEATURES}.py")) from error
    return found


def import_file(folder: Path, name: str) -> ModuleType:
    """Import another file of the project, as ``open_module`` does its module.

    Raises
    ------
    ProjectError
        If it does not import, naming the line.
    """
    folder = folder.resolve()
    return _execute(folder / f"{name}.py", name, FolderImports(folder))


def _execute(path: Path, name: str, imports: FolderImports) -> ModuleType:
    """Run the file as a module under a name of its own in ``sys.modules``."""
    unique = f"_gleis_project_{hashlib.sha256(str(path).encode()).hexdigest()[:16]}"
    module = ModuleType(unique)
    module.__file__ = str(path)
    earlier = sys.modules.get(unique)
    sys.modules[unique] = module
    # A module beside it may import it back, by its plain name.
    imports.adopt(name, module)
    try:
        with imports.entered():
            code = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
            exec(code, module.__dict__)  # noqa: S102 - running the project's module is the point
    except (Exception, SystemExit) as error:
        if earlier is None:
            del sys.modules[unique]
        else:
            sys.modules[unique] = earlier
        raise _import_error(error, path) from error
    return module


def _import_error(error: BaseException, path: Path) -> ProjectError:
    if isinstance(error, GleisError):
        place = user_line(error, path.parent) or path.name
        seen = "" if error.seen is None else f": {error.seen}"
        return ProjectError(f"{place}: {error.what}{seen}", remedy=error.remedy, field=error.field)
    if isinstance(error, SyntaxError):
        file = Path(error.filename or path).name
        return ProjectError(
            f"{file}:{error.lineno}: this is not Python: {error.msg}",
            seen=(error.text or "").strip(),
            remedy="Mend the line.",
            field="project.module",
        )
    place = user_line(error, path.parent) or path.name
    if isinstance(error, ModuleNotFoundError) and error.name:
        return ProjectError(
            f"{place}: imports a package that is not installed",
            seen=error.name,
            remedy=f"Install it into this environment, or put {error.name}.py into the "
            "project folder.",
            field="project.module",
        )
    return ProjectError(
        f"{place}: the module does not import: {type(error).__name__}: {error}",
        remedy="Mend the line named.",
        field="project.module",
    )


def user_line(error: BaseException, folder: Path) -> str | None:
    """Return ``file:line`` of the last line inside ``folder`` that ``error`` passed; None if none.

    Parameters
    ----------
    error : BaseException
        As caught.
    folder : Path
        The project folder. Installed packages inside it (``.venv``) do not count.
    """
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file.is_relative_to(folder) and "site-packages" not in file.parts:
            return f"{file.relative_to(folder)}:{frame.lineno}"
    return None


def _required(
    module: ModuleType, function: str, path: Path, example: str = ""
) -> Callable[..., Any]:
    example = example or _EXAMPLES[function]
    found = getattr(module, function, None)
    if found is None:
        raise ProjectError(
            f"{path.name} has no function {function}",
            remedy=f"Add it: {example}",
            field=function,
        )
    if not callable(found):
        raise ProjectError(
            f"{path.name}: {function} is not a function",
            seen=found,
            remedy=f"Write {example}",
            field=function,
        )
    return found  # type: ignore[no-any-return]


def _check_parameters(
    function: Callable[..., Any], name: str, count: int, path: Path, example: str = ""
) -> None:
    signature = inspect.signature(function)
    try:
        signature.bind(*range(count))
    except TypeError:
        raise ProjectError(
            f"{_place(function, path)}: {name} takes other parameters than it is called with",
            seen=f"{name}{signature}",
            remedy=f"Write {example or _EXAMPLES[name]}",
            field=name,
        ) from None


def _takes_history(baseline: Callable[..., Any], path: Path) -> bool:
    """Say whether the second parameter is there for the history, not an option with a default."""
    if not callable(baseline):
        raise ProjectError(
            f"{path.name}: baseline is not a function", seen=baseline, field="baseline"
        )
    parameters = list(inspect.signature(baseline).parameters.values())
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    second = positional[1] if len(positional) > 1 else None
    takes = second is not None and (second.default is second.empty or second.name == "history")
    _check_parameters(baseline, "baseline", 2 if takes else 1, path)
    return takes


def _place(function: Callable[..., Any], path: Path) -> str:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{path.name}:{code.co_firstlineno}" if code else path.name


def _guard(
    function: Callable[..., Any], name: str, path: Path, imports: FolderImports
) -> Callable[..., Any]:
    """Call with the project's imports in reach; turn what it raises into a ProjectError."""

    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            with imports.entered():
                return function(*args, **kwargs)
        except GleisError:
            raise
        except Exception as error:
            place = user_line(error, path.parent) or path.name
            raise ProjectError(
                f"{place}: {name} failed: {type(error).__name__}: {error}",
                remedy="Mend the line named, or the data it meets.",
                field=name,
            ) from error

    return guarded


def _with_history(baseline: Callable[..., Any], takes_history: bool) -> Callable[..., Any]:
    @functools.wraps(baseline)
    def with_history(rows: Any, history: Any = None) -> Any:
        return baseline(rows, history) if takes_history else baseline(rows)

    return with_history
