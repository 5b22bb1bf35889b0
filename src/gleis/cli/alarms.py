"""``gleis alarms``: list, show, ack, snooze, resolve."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from gleis.cli.options import AsJson, Folder, open_project, parse_moment
from gleis.cli.output import print_json, print_table, say
from gleis.config.durations import is_duration, parse_duration
from gleis.lifecycle.person import person
from gleis.monitoring.delivery.wording import (
    age,
    commands,
    describe,
    first_words,
    handled_words,
    headline,
    moment,
)

if TYPE_CHECKING:
    from gleis.lifecycle.alarms import AlarmStory, StandingAlarm

_group = typer.Typer(
    help="Alarms: what is open, and what was done about it.", invoke_without_command=True
)
Reference = Annotated[
    str, typer.Argument(help="Short id of the alarm, or how an id begins.", metavar="ID")
]
Note = Annotated[str, typer.Option(help="Why; it goes into the ledger and into messages.")]


@_group.callback()
def list_alarms(
    context: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Resolved ones and harmless ones too.")
    ] = False,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """List the alarms that are not resolved, open ones first.

    Example: gleis alarms --all
    """
    if context.invoked_subcommand is not None:
        return
    opened = open_project(project)
    found = opened.alarms.all() if everything else opened.alarms.standing()
    if as_json:
        print_json(found)
        return
    if not found:
        say("No alarms yet." if everything else "No alarm is open. Those of before: --all")
        return
    now = opened.clock.now()
    print_table(
        ["id", "state", "kind", "subject", "since (UTC)", "age", "what"],
        [_row(one, now) for one in found],
    )
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
    _print_story(story)


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


def _end(text: str, now: datetime) -> datetime:
    if is_duration(text):
        return now + parse_duration(text, "--until")
    return parse_moment(text, "--until")


def _say_state(one: StandingAlarm, as_json: bool) -> None:
    if as_json:
        print_json(one)
        return
    say(f"Alarm {one.short} is {one.state.words}", style="green")
    say(f"  {first_words(one.alarm)}")
    if one.state.status == "acknowledged":
        say("  It may still start a retraining. To hold that back: gleis alarms snooze")


def _row(one: StandingAlarm, now: datetime) -> tuple[object, ...]:
    alarm = one.alarm
    since = alarm.since or alarm.at
    return (
        one.short,
        one.state.status,
        alarm.kind,
        alarm.subject,
        f"{since:%Y-%m-%d %H:%M}",
        age(now - alarm.at),
        first_words(alarm),
    )


def _print_story(story: AlarmStory) -> None:
    say(f"Alarm {story.short}: {headline(story.alarm)}", style="bold")
    lines = [("State", f"{story.state.words}, since {moment(story.state.at)}")]
    lines += [*describe(story.alarm), ("Id", story.alarm.id)]
    for label, text in lines:
        say(f"  {label:<14} {text}")
    if story.decisions:
        say("Decisions")
        for decision in story.decisions:
            did = "retrain" if decision.retrain else "not now"
            say(f"  {moment(decision.at)}  {did}: {decision.reason}")
    if story.history:
        say("History")
        for handled in story.history:
            say(f"  {moment(handled.at)}  {handled_words(handled)}")
    if story.told:
        say("Told")
        for told in story.told:
            said = f": {told.said}" if told.said else ""
            say(f"  {moment(told.at)}  {told.event} to {told.receiver}: {told.outcome}{said}")
    if story.state.status in {"open", "acknowledged", "snoozed"}:
        say("What you can do")
        for command, effect in commands(story.alarm)[1:]:
            say(f"  {command:<46} {effect}")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(_group, name="alarms")
