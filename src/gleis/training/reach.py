"""The project's source reached from a function: what a step's result depends on.

A function's own text is not enough (a helper may change) and the whole file is too much (a
comment, or another function, may change). ``reach`` follows names from the roots through the
project's own modules and hashes the syntax trees it meets, without comments, docstrings and
positions. Nothing is imported or run.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from gleis.contracts.errors import ProjectError


@dataclass(frozen=True)
class Reach:
    """What was reached."""

    digest: str
    """SHA-256 over the reached definitions."""
    names: tuple[str, ...]
    """``module:name`` of every definition reached, sorted."""


@dataclass
class _Source:
    """One module of the project, by top-level name."""

    name: str
    package: list[str]
    """Parts of the package that relative imports start from."""
    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imports: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    """Local name -> (module, attribute or None)."""
    stars: list[str] = field(default_factory=list)
    """Modules of ``from module import *``: a name found nowhere else may be theirs."""
    effects: list[ast.stmt] = field(default_factory=list)
    """Statements that bind no name: they run on import, so they always count."""


def reach(folder: Path, module: str, roots: Iterable[str]) -> Reach:
    """Hash the source reached from ``roots`` of ``module``.

    Parameters
    ----------
    folder : Path
        The project folder; modules found there are followed, others are named only.
    module : str
        Module of the roots.
    roots : iterable of str
        Names of functions; one that the module lacks is skipped (``baseline`` is optional).

    Raises
    ------
    ProjectError
        If a file of the project is missing or is not Python.
    """
    walk = _Walk(folder)
    for root in roots:
        walk.visit(module, root)
    names = tuple(sorted(walk.found))
    text = "\n".join(f"{name}\0{walk.found[name]}" for name in names)
    return Reach(hashlib.sha256(text.encode()).hexdigest(), names)


def reached_text(folder: Path, module: str, roots: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return the source reached from ``roots``, as modules that can be imported.

    Each holds, in their order, the definitions that were reached, the imports they name and all
    that runs on import: no comments, no docstrings. So the text changes when ``reach`` does.

    Parameters
    ----------
    folder, module, roots
        As for ``reach``.

    Returns
    -------
    tuple of (str, str)
        Path in the folder, with ``/``, and text; sorted.

    Raises
    ------
    ProjectError
        As ``reach``.
    """
    walk = _Walk(folder)
    for root in roots:
        walk.visit(module, root)
    found: dict[str, set[str]] = {}
    for name in walk.found:
        owner, _, member = name.partition(":")
        found.setdefault(owner, set()).add(member)
    texts = {}
    for owner in {*found, *walk.sources}:
        path = _file(folder, owner)
        if path is not None:
            text = _reached_lines(path, owner, found.get(owner, set()))
            texts[path.relative_to(folder).as_posix()] = text
    return tuple(sorted(texts.items()))


def _reached_lines(path: Path, module: str, members: set[str]) -> str:
    """Return the part of a module that was reached."""
    parts = module.split(".")
    package = parts if path.name == "__init__.py" else parts[:-1]
    lines = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            named = {*_bindings(node, package)}
            future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
            if members and (named & {*members, "*"} or future):
                lines.append(ast.unparse(node))
        elif not _is_docstring(node) and members:
            names = {*_bound(node)}
            if not names or names & members:
                lines.append(ast.unparse(_StripDocstrings().visit(node)))
    return "\n\n".join(lines) + "\n"


class _Walk:
    """Follows names; ``found`` maps ``module:name`` to normalised source."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sources: dict[str, _Source | None] = {}
        self.found: dict[str, str] = {}
        self.sought: set[str] = set()
        """Names looked for behind stars, which may point at each other."""

    def source(self, module: str) -> _Source | None:
        if module not in self.sources:
            path = _file(self.folder, module)
            self.sources[module] = None if path is None else _read(path, module)
        return self.sources[module]

    def visit(self, module: str, name: str) -> None:
        """Reach ``name`` of ``module`` and all it names."""
        key = f"{module}:{name}"
        source = self.source(module)
        if key in self.found or source is None:
            return
        if name in source.definitions:
            self._enter(source, key, source.definitions[name])
        elif name in source.imports:
            self._import(key, *source.imports[name])
        elif (submodule := f"{module}.{name}") and self.source(submodule):
            self._whole(submodule)
        elif key not in self.sought:
            self.sought.add(key)
            for star in source.stars:
                self.visit(star, name)

    def _enter(self, source: _Source, key: str, nodes: list[ast.stmt]) -> None:
        self.found[key] = "\n".join(_normalised(node) for node in nodes)
        for number, effect in enumerate(source.effects):
            label = f"{source.name}:<effect {number}>"
            if label not in self.found:
                self.found[label] = _normalised(effect)
                self._names(source, effect)
        for node in nodes:
            self._names(source, node)

    def _names(self, source: _Source, node: ast.AST) -> None:
        for part in ast.walk(node):
            if isinstance(part, ast.Name):
                self.visit(source.name, part.id)
            elif isinstance(part, ast.Import | ast.ImportFrom):
                for key, target in _bindings(part, source.package).items():
                    self._import(f"{source.name}:{key}", *target)

    def _import(self, key: str, module: str, attribute: str | None) -> None:
        self.found[key] = f"import {module} {attribute or ''}"
        if self.source(module) is None:
            return
        if attribute in {None, "*"}:
            self._whole(module)
        else:
            self.visit(module, attribute)

    def _whole(self, module: str) -> None:
        """``import helper``: which attributes are used is not followed, so all of it counts."""
        source = self.source(module)
        if source is not None:
            for name in [*source.definitions, *source.imports]:
                self.visit(module, name)


def _file(folder: Path, module: str) -> Path | None:
    stem = folder.joinpath(*module.split("."))
    for path in (stem.with_suffix(".py"), stem / "__init__.py"):
        if path.is_file():
            return path
    return None


def _read(path: Path, module: str) -> _Source:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    except (SyntaxError, UnicodeDecodeError, ValueError) as error:
        raise ProjectError(
            f"{path.name} is not Python: {error}", remedy="Mend the line named."
        ) from error
    parts = module.split(".")
    source = _Source(module, parts if path.name == "__init__.py" else parts[:-1])
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            bindings = _bindings(node, source.package)
            if star := bindings.pop("*", None):
                source.stars.append(star[0])
            source.imports |= bindings
            continue
        names = _bound(node)
        for name in names:
            source.definitions.setdefault(name, []).append(node)
        if not names and not _is_docstring(node):
            source.effects.append(node)
    return source


def _bindings(
    node: ast.Import | ast.ImportFrom, package: list[str]
) -> dict[str, tuple[str, str | None]]:
    if isinstance(node, ast.Import):
        return {
            (alias.asname or alias.name.split(".")[0]): (alias.name, None) for alias in node.names
        }
    origin = node.module or ""
    if node.level:
        start = package[: len(package) - node.level + 1]
        origin = ".".join([*start, *([origin] if origin else [])])
    return {(alias.asname or alias.name): (origin, alias.name) for alias in node.names}


def _bound(node: ast.stmt) -> list[str]:
    """Names a top-level statement binds."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    stores = (
        part.id
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    )
    return list(dict.fromkeys(stores))


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


class _StripDocstrings(ast.NodeTransformer):
    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and body:
            rest = body[1:] if _is_docstring(body[0]) else body
            node.body = rest or [ast.Pass()]
        return node


def _normalised(node: ast.AST) -> str:
    copy = ast.parse(ast.unparse(node))
    return ast.dump(_StripDocstrings().visit(copy), annotate_fields=False)
