"""``gleis alarms``: list, show, ack, snooze, resolve."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from gleis.cli.options import AsJson, Folder, open_project, parse_moment
from gleis.cli.output import print_json, print_table, say, working
from gleis.config.durations import is_duration, parse_duration
from gleis.contracts.alarm import Decision
from gleis.lifecycle.person import person
from gleis.monitoring.delivery.wording import (
    age,
    commands,
    describe,
    first_words,
    handled_words,
    headline,
    moment,
    told_words,
    waiting_words,
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


@_group.command("test")
def try_receivers(project: Folder = ".", as_json: AsJson = False) -> None:  # type: ignore[assignment]
    """Send a test message to each receiver of [alarms], and say what came of it.

    Exits with 1 if one was not reached.

    Example: gleis alarms test
    """
    from gleis.lifecycle.announcing import send_tests  # loads what sends

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
    for label, text in [*lines, *describe(story.alarm), ("Id", story.alarm.id)]:
        say(f"  {label:<14} {text}")
    for heading, said in _sections(story):
        if said:
            say(heading)
        for line in said:
            say(f"  {line}")


def _sections(story: AlarmStory) -> list[tuple[str, list[str]]]:
    standing = story.state.status not in {"resolved", "recorded"}
    todo = commands(story.alarm)[1:] if standing else []
    return [
        ("Decisions", [f"{moment(one.at)}  {_decided(one)}" for one in story.decisions]),
        ("History", [f"{moment(one.at)}  {handled_words(one)}" for one in story.history]),
        ("Told", [f"{moment(one.at)}  {told_words(one)}" for one in story.told]),
        ("Not told yet", [waiting_words(one) for one in story.waiting]),
        ("What you can do", [f"{command:<46} {effect}" for command, effect in todo]),
    ]


def _decided(decision: Decision) -> str:
    return f"{'retrain' if decision.retrain else 'not now'}: {decision.reason}"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(_group, name="alarms")
