"""``gleis trace``: where an answer came from, and where rows went."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import print_json, say

if TYPE_CHECKING:
    from gleis.contracts.dataset import SourceFile
    from gleis.contracts.trace import Live, Trace, TracedAnswer, TracedData, TracedModel

T = TypeVar("T")
_SHOWN = 20
"""Of answers, versions and files; --json has all."""


def trace(
    what: Annotated[
        str,
        typer.Argument(
            help="Prediction id; v3, champion or a run's id; weather@v3.", metavar="WHAT"
        ),
    ],
    row: Annotated[
        bool, typer.Option("--row", help="WHAT is the id of a row, in a dataset or a request.")
    ] = False,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Say where an answer, a model or data came from, and where it went.

    Back from an answer or a model: model version, code, environment, dataset versions, and of
    each its source, files with hashes, query, licence, terms, who and when. Forward from a
    dataset version or a row: what was made of it, which models, how many answers.

    Example: gleis trace 1-48-3a5e47d0
    """
    from gleis.lifecycle.tracing import trace as look

    found = look(open_project(project), what, row=row)
    if as_json:
        print_json(found)
        return
    for line in trace_lines(found):
        say(line)


def trace_lines(found: Trace) -> Iterator[str]:
    """Yield a trace in lines for people."""
    if found.kind in ("answer", "model"):
        yield from _backward(found)
    else:
        yield from _forward(found)


def _backward(found: Trace) -> Iterator[str]:
    yield from _each(found.answers, _answer, "answers")
    yield from _each(found.models, _model, "models")
    if not found.models:
        yield "Its model version is not in this ledger"
    if found.data:
        yield from ("", "Data it came from")
        yield from _each(found.data, _data, "versions")
    if found.into:
        yield from ("", "The answer went into")
        yield from _each(found.into, _into, "versions")


def _forward(found: Trace) -> Iterator[str]:
    if found.data:
        yield from _each(found.data, _data, "versions")
        yield ""
    yield "Went into" if found.into else "Went into no other dataset version"
    yield from _each(found.into, _into, "versions")
    yield from ("", "Models trained on it" if found.models else "No registered model used it")
    yield from _each(found.models, _model_line, "models")
    if found.kind == "row":
        yield from ("", "Answers about it" if found.answers else "No answer is about it")
        yield from _each(found.answers, _answer, "answers")


def _model_line(one: TracedModel) -> Iterator[str]:
    now = " and ".join(live.alias for live in one.live if live.until is None)
    ever = "live before" if one.live else "never live"
    yield (
        f"  version {one.number}, {now or ever}: of {one.dataset}, run {one.run}, {_answers(one)}"
    )


def _answers(one: TracedModel) -> str:
    if not one.answers or one.first is None or one.last is None:
        return "no answers"
    fallbacks = f", {one.fallbacks:,} by its baseline" if one.fallbacks else ""
    return f"{one.answers:,} answers{fallbacks}, {_at(one.first)} to {_at(one.last)}"


def _each(things: Sequence[T], lines: Callable[[T], Iterable[str]], what: str) -> Iterator[str]:
    for one in things[:_SHOWN]:
        yield from lines(one)
    if len(things) > _SHOWN:
        yield f"  ... and {len(things) - _SHOWN:,} more {what}; --json has all"


def _into(one: TracedData) -> Iterator[str]:
    yield f"  {one.label}: {one.because}"


def _answer(one: TracedAnswer) -> Iterator[str]:
    by = "the baseline of version" if one.fallback else "version"
    yield f"Answer {one.prediction_id}, {_at(one.at)}, by {by} {one.version}"
    if one.erased:
        yield "  its row was erased: a person asked for it"
    else:
        yield f"  row       {one.entity or 'without an id'}" + (
            f", event {_at(one.event_time)}" if one.event_time else ""
        )
    yield f"  answered  {one.score}" + (f", flags: {', '.join(one.flags)}" if one.flags else "")
    if one.labels:
        yield f"  label     {one.labels[-1]}"
    for review in one.reviews:
        done = "dismissed" if review.label is None else f"labelled {review.label}"
        yield f"  review    {done} by {review.by}, {_at(review.at)}"
    if one.taken:
        yield f"  taken     into {', '.join(one.taken)}"


def _model(one: TracedModel) -> Iterator[str]:
    kind = "Heuristic" if one.kind == "baseline" else "Model"
    gates = "passed its gates" if one.passed else "blocked by its gates"
    yield f"{kind} version {one.number}, registered {_at(one.registered_at)}, {gates}"
    yield f"  package   sha256:{one.digest}"
    for live in one.live:
        yield f"  live      {_live(live)}"
    yield f"  answered  {_answers(one)}"
    if one.beside:
        yield f"  looked on {one.beside:,} answers as a shadow"
    if one.kind is None or one.code is None or one.environment is None:
        yield f"  run       {one.run}, which is not in this ledger"
        return
    yield f"  run       {one.run}, {_at(one.started)}: {one.cause}"
    yield f"  trained   {one.train_rows:,} rows of {one.dataset}; {one.test_rows:,} tested it"
    if one.looks_up:
        yield f"  looks up  {', '.join(one.looks_up)}"
    dirty = f", with changes that were not committed (artifact {one.code.diff})"
    yield f"  code      {one.code.reached}, commit {one.code.commit or 'none'}" + (
        dirty if one.code.diff else ""
    )
    yield f"  python    {one.environment.python} on {one.environment.platform}"
    yield f"  packages  artifact {one.environment.lock}"
    if one.adopted:
        yield f"  adopted   from a file, sha256:{one.adopted}"


def _live(one: Live) -> str:
    until = _at(one.until) if one.until else "now"
    return f"as {one.alias} {_at(one.since)} to {until}, by {one.by}: {one.reason}"


def _data(one: TracedData) -> Iterator[str]:
    version = one.version
    if version is None:
        yield f"  {one.label}: {one.because}; this ledger does not have its record"
        return
    source = version.provenance
    gone = f", removed {_at(one.removed.at)} by {one.removed.by}" if one.removed else ""
    added = f" ({one.added:,} of its own)" if one.added not in (version.rows, None) else ""
    why = f": {one.because}" if one.because else ""
    yield f"  {one.label}{why}{gone}"
    yield f"    rows      {version.rows:,}{added}, sha256:{version.content}"
    if version.erased:
        yield (
            f"    erased    {version.erased:,} rows, of people who asked for it; before "
            f"sha256:{version.original}"
        )
    yield f"    loaded    {_at(source.loaded_at)} by {source.loaded_by}" + (
        f', "{source.note}"' if source.note else ""
    )
    yield f"    source    {source.source}, code {source.code or 'none'}"
    for file in source.files[:_SHOWN]:
        yield f"    file      {_file(file)}"
    if len(source.files) > _SHOWN:
        yield f"    ... and {len(source.files) - _SHOWN:,} more files; --json has all"
    if source.query:
        yield f"    query     {' '.join(source.query.split())}"
    terms = f", terms {source.terms}" if source.terms else ""
    if source.licence:
        yield f"    licence   {source.licence}{terms}; datasheet: artifact {source.datasheet}"
    else:
        yield "    licence   not declared: it had no datasheet"
    if source.personal:
        yield f"    personal  {', '.join(source.personal)}"


def _file(one: SourceFile) -> str:
    return f"{one.path}, {one.size:,} bytes, {one.hash}"


def _at(moment: datetime | None) -> str:
    return "-" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(trace)
