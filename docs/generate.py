"""Write the reference pages from the code: cli.md, configuration.md, errors.md.

Of fairness.md and prometheus.md it writes the tables; the text around them is written by hand.

``make docs`` runs it. ``--check`` writes nothing and exits with 1 if a page is out of date.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import msgspec
import typer
import typer.main

from gleis.cli.app import app
from gleis.cli.exits import exit_code
from gleis.config.settings import Settings
from gleis.contracts.errors import GleisError
from gleis.evidence.fairness import binary, multiclass, rates, regression
from gleis.evidence.fairness.comparison import Definition
from gleis.lifecycle.live_figures import FIGURES
from gleis.serving.families import FAMILIES
from gleis.serving.observing.rules import alerts
from gleis.serving.observing.stack import Stack
from gleis.serving.statuses import body_of, status_of

NOTE = "<!-- Written by docs/generate.py from the code. Do not edit: run `make docs`. -->"
WORDS = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    datetime: "moment",
}
COMMANDS = (
    "Every command prints one JSON document with `--json`, and exits with 0 if all went well; "
    "[errors.md](errors.md) lists the other exit codes. `gleis COMMAND --help` says what stands "
    "here."
)
PRECEDENCE = """\
A project is configured by `gleis.toml` in its folder. Keys without a table stand first in the
file. An unknown key is an error that names its line. A value is looked for in this order; the
first one found counts:

1. a flag, which may be repeated: `--set serve.max_rows=500` ({takers});
2. the environment: `GLEIS_SERVE__MAX_ROWS=500`, that is `GLEIS_`, the key in capitals, and two
   underscores for each dot;
3. `gleis.toml`;
4. the default.

Values of flags and variables are read as TOML where they can be (`0.2`, `true`, `["a", "b"]`),
else as text (`every 30d`). A duration is a number and `s`, `min`, `h`, `d` or `w`: `6h`. A rate
is a number, `per`, and `hour`, `day`, `week`, `month` (30 days) or `year` (365 days): `1 per year`.
"""
ERRORS = """\
Each error says what failed, the value seen and what to do next. They are raised from
`contracts/errors.py`; `cli/exits.py` and `serving/statuses.py` map them, once each. An arrow
marks a case of the error above it.
"""
PROGRAMS = """\
Other exit codes: 0, all went well; 1, also a verdict that blocks or a check that fails; 2, also an
unknown command or option; 130, interrupted with Ctrl+C. Other HTTP statuses are in
[http.md](http.md).

Programs get an error as JSON, over HTTP and, with `kind` (the error's name) added, from a command
with `--json`:
"""


def main() -> int:
    """Write the pages, or say which are out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent)
    parser.add_argument("--check", action="store_true", help="write nothing, only compare")
    options = parser.parse_args()
    pages = {
        "cli.md": cli(),
        "configuration.md": configuration(),
        "errors.md": errors(),
        "fairness.md": fairness(),
        "prometheus.md": prometheus(),
    }
    stale = []
    for name, text in pages.items():
        path = options.folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not options.check:
                path.write_text(text, encoding="utf-8")
    if options.check and stale:
        sys.stderr.write(f"out of date: {', '.join(stale)}. Run make docs.\n")
    return int(options.check and bool(stale))


def cli() -> str:
    """Return the page of the commands."""
    listed = list(_commands())
    links = [
        (f"[`{name}`](#{name.replace(' ', '-')})", _plain(command.help.split("\n\n")[0]))
        for name, command in listed
    ]
    sections = [_command(name, command) for name, command in listed]
    return _page("Commands", COMMANDS, _table(("command", "what it does"), *links), *sections)


def _commands(group: Any = None, prefix: str = "gleis") -> Iterator[tuple[str, Any]]:
    for name, command in (group or typer.main.get_command(app)).commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command


def _command(name: str, command: Any) -> str:
    *text, example = command.help.split("\n\n")
    if not example.startswith("Example: "):
        raise SystemExit(f"the help text of {name} does not end with an example")
    context = typer.Context(command)
    rows = [("argument or option", "default", "meaning")]
    for names, meaning in (param.get_help_record(context) for param in command.params):
        found = re.fullmatch(r"(.*?)\s*\[(?:default: )?([^\]]*)\]", meaning)
        text_of, value = (found[1], f"`{found[2]}`") if found else (meaning, "")
        rows.append((f"`{names}`", value.replace("`required`", "**required**"), text_of))
    shown = f"```sh\n{_plain(example).removeprefix('Example: ')}\n```"
    return "\n\n".join([f"## {name}", *map(_plain, text), shown, _table(*rows)])


def configuration() -> str:
    """Return the page of the settings."""
    takers = [f"`{name}`" for name, c in _commands() if any("--set" in p.opts for p in c.params)]
    first = PRECEDENCE.format(takers=", ".join(takers))
    return _page("Configuration", first, "## Keys without a table", *_settings(Settings, ""))


def _settings(
    struct: type[msgspec.Struct], table: str, told: dict[type, str] | None = None
) -> Iterator[str]:
    """Yield the keys of a table, then the tables in it; ``told``: where structs were described."""
    told = {} if told is None else told
    if struct in told:
        return iter([f"The keys of `[{told[struct]}]`."])
    told[struct] = table
    body = ast.parse(inspect.getsource(struct)).body[0].body  # type: ignore[attr-defined]
    docs = {
        key.target.id: _plain(ast.literal_eval(text.value))
        for key, text in pairwise(body)
        if isinstance(key, ast.AnnAssign) and isinstance(text, ast.Expr)
    }
    rows, inner = [("key", "type", "default", "meaning")], []
    for field in msgspec.structs.fields(struct):
        parts = get_args(field.type) or (field.type,)
        path, doc = f"{table}.{field.encode_name}".lstrip("."), docs.get(field.name, "")
        structs = [p for p in parts if isinstance(p, type) and issubclass(p, msgspec.Struct)]
        if structs:
            path += ".NAME" if get_origin(field.type) is dict else ""
            about = _plain(inspect.getdoc(structs[0])).partition(": ")[2]
            off = " Off unless given." if field.default is None else ""
            inner += [f"## `[{path}]`", about[0].upper() + about[1:] + off]
            inner += _settings(structs[0], path, told)
        elif get_origin(field.type) is dict:
            inner += [f"## `[{path}]`", f"{doc} Any number of keys."]
        else:
            rows.append((f"`{field.encode_name}`", _type(field.type), _default(field), doc))
    return iter([_table(*rows), *inner])


def _type(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return ", ".join(f'`"{option}"`' for option in get_args(kind))
    if get_origin(kind) is tuple:
        return _list(get_args(kind)[0])
    known = WORDS.get(get_origin(kind) or kind)
    return known or ", ".join(_type(part) for part in get_args(kind) if part is not NoneType)


def _list(of: Any) -> str:
    if get_origin(of) is tuple:
        return "list of lists of texts"
    if get_origin(of) is Literal or of is str:
        return "list of texts"
    return "list of numbers" if of is float else "list of values"


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "**required**"
    return "none" if field.default is None else f"`{json.dumps(field.default)}`"


def errors() -> str:
    """Return the page of the errors with their exit codes and HTTP statuses."""
    rows = [("error", "meaning", "exit code", "HTTP status"), *_errors(GleisError, "")]
    example = GleisError("distance is missing", remedy="Send every feature.", field="distance")
    shown = f"```json\n{json.dumps(body_of(example), indent=2)}\n```"
    return _page("Errors, exit codes and HTTP statuses", ERRORS, _table(*rows), PROGRAMS, shown)


def _errors(kind: type[GleisError], arrow: str) -> Iterator[tuple[str, ...]]:
    meaning = _plain((kind.__doc__ or "").split("\n\n")[0])
    yield f"{arrow}`{kind.__name__}`", meaning, str(exit_code(kind("x"))), str(status_of(kind("x")))
    for case in kind.__subclasses__():
        yield from _errors(case, "" if kind is GleisError else "→ ")


def fairness() -> str:
    """Return the page of fairness with the tables of figures and rates as the code has them."""
    page = (Path(__file__).parent / "fairness.md").read_text(encoding="utf-8")
    tables = {
        "binary": _figures(binary.DISPARITIES),
        "individual": _figures(binary.INDIVIDUAL),
        "multiclass": _figures(multiclass.DISPARITIES),
        "regression": _figures(regression.DISPARITIES),
        "rates": _rates(rates.RATES),
        "class rates": _rates(multiclass.RATES),
        "number rates": _rates(regression.RATES),
    }
    return _with_tables(page, tables)


def prometheus() -> str:
    """Return the page of the metrics with the tables of their names as the code has them."""
    page = (Path(__file__).parent / "prometheus.md").read_text(encoding="utf-8")
    rung = [
        (
            f"`{rule['alert']}`",
            rule["labels"]["severity"],
            "at once" if rule["for"] == "0m" else f"for {rule['for']}",
            f"`{rule['expr']}`",
        )
        for rule in alerts(Stack(model="flights"))
    ]
    tables = {
        "service": _metrics(FAMILIES),
        "loop": _metrics(FIGURES),
        "alerts": _table(("alert", "severity", "rings", "while"), *rung),
    }
    return _with_tables(page, tables)


def _metrics(named: Mapping[str, Any]) -> str:
    rows = [
        (
            f"`{name}{'_total' if of.kind == 'counter' else ''}`",
            of.kind,
            ", ".join(f"`{label}`" for label in of.labels),
            getattr(of, "text", None) or of.help,
        )
        for name, of in named.items()
    ]
    return _table(("metric", "kind", "labels beside `model`", "meaning"), *rows)


def _with_tables(page: str, tables: Mapping[str, str]) -> str:
    """Put tables where a page says so."""
    for name, table in tables.items():
        begin, end = f"<!-- {name} -->\n", "<!-- end -->"
        before, _, rest = page.partition(begin)
        page = f"{before}{begin}{table}\n{end}{rest.partition(end)[2]}"
    return page


def _figures(definitions: Iterable[Definition[Any]]) -> str:
    head = ("figure", "formula", "values", "if all are alike", "from", "elsewhere, or equal to")
    return _table(
        head,
        *(
            (
                f"`{each.name}`",
                f"`{each.formula}`",
                each.span,
                "" if each.alike != each.alike else f"{each.alike:g}",
                each.reference,
                ", ".join(f"`{alias}`" for alias in each.aliases),
            )
            for each in definitions
        ),
    )


def _rates(functions: Mapping[str, Any]) -> str:
    return _table(
        ("rate", "meaning"),
        *((f"`{name}`", _plain(of.__doc__.split("\n\n")[0])) for name, of in functions.items()),
    )


def _page(title: str, *blocks: str) -> str:
    return "\n\n".join((f"# {title}", NOTE, *(block.strip() for block in blocks))) + "\n"


def _table(*rows: tuple[str, ...]) -> str:
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def _plain(text: str | None) -> str:
    """Turn a docstring into one line of Markdown."""
    return " ".join((text or "").replace("``", "`").split())


if __name__ == "__main__":
    sys.exit(main())
