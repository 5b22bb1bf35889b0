"""``gleis alarms``: list, show, ack, snooze, resolve, test."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from gleis.cli.options import AsJson, Folder, open_project, parse_moment
from gleis.cli.output import print_json, print_table, say, working
from gleis.config.durations import is_duration, parse_duration
from gleis.contracts.errors import ConfigError
from gleis.lifecycle.person import person

if TYPE_CHECKING:
    from gleis.lifecycle.alarms.alarms import StandingAlarm

_group = typer.Typer(invoke_without_command=True)
Everything = Annotated[bool, typer.Option("--all", help="Resolved ones and harmless ones too.")]
Reference = Annotated[
    str, typer.Argument(help="Short id of the alarm, or how an id begins.", metavar="ID")
]
Note = Annotated[str, typer.Option(help="Why; it goes into the ledger and into messages.")]


@_group.callback()
def bare(
    context: typer.Context,
    everything: Everything = False,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Alarms: what is open, and what was done about it. Without a command it lists them."""
    if context.invoked_subcommand is None:
        list_alarms(everything, project, as_json)
    elif everything or as_json or str(project) != ".":
        command = context.invoked_subcommand
        raise ConfigError(
            f"Options stand after {command}, not before it",
            remedy=f"Write gleis alarms {command} ... with them at the end.",
        )


@_group.command("list")
def list_alarms(
    everything: Everything = False,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """List the alarms that are not resolved, open ones first; gleis alarms alone does the same.

    Example: gleis alarms list --all
    """
    opened = open_project(project)
    found = opened.alarms.all() if everything else opened.alarms.standing()
    if as_json:
        print_json(found)
        return
    if not found:
        say("No alarms yet." if everything else "No alarm is open. Those of before: --all")
        return
    from gleis.cli.alarm_text import COLUMNS, alarm_row  # loads numpy

    now = opened.clock.now()
    print_table(COLUMNS, [alarm_row(one, now) for one in found])
    if found[0].state.status == "open":
        say(f"Look closer: gleis alarms show {found[0].short}")


@_group.command()
def show(
    alarm: Reference,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Say everything that is known of an alarm: what it means, what was done, who was told.

    Example: gleis alarms show 3f9a1c
    """
    story = open_project(project).alarms.show(alarm)
    if as_json:
        print_json(story)
        return
    from gleis.cli.alarm_text import story_lines  # loads numpy

    title, *lines = story_lines(story)
    say(title, style="bold")
    for line in lines:
        say(line)


@_group.command()
def ack(
    alarm: Reference,
    note: Note = "",
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Say that you look after an alarm. The loop goes on, and may retrain because of it.

    Example: gleis alarms ack 3f9a1c --note "asked the data team"
    """
    alarms = open_project(project).alarms
    _say_state(alarms.acknowledge(alarm, by=person(), note=note), as_json)


@_group.command()
def snooze(
    alarm: Reference,
    until: Annotated[
        str, typer.Option(help="For how long, or until when: 8h, 3d, 2013-07-04T12:00.")
    ] = "1d",
    note: Note = "",
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Let an alarm rest, a day by default; until then it starts no retraining, then it is open.

    Example: gleis alarms snooze 3f9a1c --until 3d --note "holiday traffic"
    """
    opened = open_project(project)
    moment = _end(until, opened.clock.now())
    _say_state(opened.alarms.snooze(alarm, moment, by=person(), note=note), as_json)


@_group.command()
def resolve(
    alarm: Reference,
    note: Note = "",
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Close an alarm for good; it starts no retraining any more.

    Example: gleis alarms resolve 3f9a1c --note "sensor replaced"
    """
    alarms = open_project(project).alarms
    _say_state(alarms.resolve(alarm, by=person(), note=note), as_json)


@_group.command("test")
def try_receivers(project: Folder = ".", as_json: AsJson = False) -> None:  # type: ignore[assignment]
    """Send a test message to each receiver of [alarms], and say what came of it.

    Exits with 1 if one was not reached.

    Example: gleis alarms test
    """
    from gleis.lifecycle.alarms.announcing import send_tests  # loads what sends

    opened = open_project(project)
    with working("Sending a test to each receiver"):
        sent = send_tests(opened.settings, opened.clock)
    if as_json:
        print_json(
            [
                {"receiver": receiver.name, "outcome": answer.outcome, "said": answer.said}
                for receiver, answer in sent
            ]
        )
    elif not sent:
        say("Nobody is told of alarms: [alarms] names no receiver. See docs/alarms.md.")
    else:
        print_table(
            ["receiver", "outcome", "said"],
            [(receiver.name, answer.outcome, answer.said) for receiver, answer in sent],
        )
    if any(answer.outcome != "delivered" for _, answer in sent):
        raise typer.Exit(1)


def _end(text: str, now: datetime) -> datetime:
    if is_duration(text):
        return now + parse_duration(text, "--until")
    return parse_moment(text, "--until")


def _say_state(one: StandingAlarm, as_json: bool) -> None:
    if as_json:
        print_json(one)
        return
    say(f"Alarm {one.short} is {one.state.words}", style="green")
    say(f"  {one.alarm.message.partition('; ')[0]}")
    if one.state.status == "acknowledged":
        say("  It may still start a retraining. To hold that back: gleis alarms snooze")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(_group, name="alarms")
