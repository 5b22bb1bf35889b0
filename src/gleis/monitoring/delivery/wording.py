"""What people are told of an alarm, in plain words: in messages and on the terminal alike."""

from __future__ import annotations

from datetime import datetime, timedelta
from textwrap import wrap

from gleis.contracts.alarm import Alarm, AlarmKind, Expected, Moved
from gleis.contracts.notice import Event, Handled, Notice, Told, Waiting, short_id

_KINDS: dict[AlarmKind, str] = {
    "drift": "`{subject}` has changed",
    "performance": "the model is worse than promised",
    "estimate": "the model is probably worse than promised",
    "labels": "labels stay away",
    "fairness": "groups are treated differently: `{subject}`",
    "joint": "features changed together",
    "service": "what comes in cannot be answered",
}
_EVENTS: dict[Event, str] = {
    "alarm": "{what}",
    "reminder": "still open: {what}",
    "resolved": "resolved: {what}",
    "test": "a test: nothing is wrong",
}
_MOVED = 5
"""Columns that are named one by one."""
_WIDTH = 92


def headline(alarm: Alarm) -> str:
    """Say in half a line what an alarm is about.

    Examples
    --------
    >>> headline(Alarm(id="a", kind="labels", at=datetime.min, subject="labels", also=(),
    ...     evidence=2, threshold=1.3, promise="", effect=0, since=None, rows=1, version=1,
    ...     message=""))
    'labels stay away'
    """
    return _KINDS[alarm.kind].format(subject=alarm.subject)


def title(notice: Notice) -> str:
    """Return the subject of a mail, the first line of a chat message."""
    what = _EVENTS[notice.event].format(what=headline(notice.alarm))
    return f"{notice.project}: {what}"


def first_words(alarm: Alarm) -> str:
    """Return the monitor's own sentence, without the evidence behind it."""
    return alarm.message.partition("; evidence ")[0]


def describe(alarm: Alarm) -> list[tuple[str, str]]:
    """Say what changed, since when, what it means and how sure that is, as (label, text)."""
    lines = [("What changed", first_words(alarm)), ("Since", since_words(alarm))]
    if alarm.moved:
        lines += [("Moved most", moved_words(one)) for one in alarm.moved[:_MOVED]]
    elif alarm.also:
        lines.append(("Also changed", ", ".join(alarm.also)))
    return [*lines, ("What it means", meaning(alarm)), ("How sure", certainty(alarm))]


def since_words(alarm: Alarm) -> str:
    """Say since when the change holds, as far as it is known."""
    if alarm.since is None:
        return f"not known; noticed {moment(alarm.at)}"
    between = ""
    if alarm.between is not None:
        low, high = alarm.between
        between = f" (between {moment(low)} and {moment(high)})"
    return f"about {moment(alarm.since)}{between}; noticed {moment(alarm.at)}"


def moved_words(moved: Moved) -> str:
    """Say how far a column moved and how much the model relies on it."""
    said = f"`{moved.column}` {moved.words or 'moved'} (PSI {moved.psi:.2f}"
    if moved.importance is not None:
        said += f", {moved.importance:.0%} of what the model relies on"
    return said + ")"


def meaning(alarm: Alarm) -> str:
    """Say what the change is expected to do to the model."""
    if alarm.expected is not None:
        said = expected_words(alarm.expected)
        return f"{said}; that is too little to matter" if alarm.harmless else said
    if alarm.kind == "performance":
        return "by labels that came: the predictions are worse than on the test rows"
    if alarm.kind in {"labels", "service"}:
        return "until it is mended, nobody can say how good the model is"
    return "not known yet: nothing says what it does to the model's errors"


def expected_words(expected: Expected) -> str:
    """Say what a figure is expected to do, with its interval."""
    way = "rise" if expected.change >= 0 else "fall"
    return (
        f"{expected.figure} is expected to {way} by {abs(expected.change):.3g} "
        f"({expected.low:+.3g} to {expected.high:+.3g}) from {expected.before:.3g}"
    )


def certainty(alarm: Alarm) -> str:
    """Say how often such an alarm is wrong, and what later rows said of this one."""
    said = f"{alarm.promise}; evidence 10^{alarm.evidence:.1f}, alarm at 10^{alarm.threshold:.1f}"
    if alarm.confirmed is None:
        return said
    return f"{said}; later rows {'confirm it' if alarm.confirmed else 'do not confirm it'}"


def handled_words(handled: Handled) -> str:
    """Say what was done about an alarm, and by whom."""
    until = f" until {moment(handled.until)}" if handled.until else ""
    note = f": {handled.note}" if handled.note else ""
    return f"{handled.status} by {handled.by}{until}{note}"


def told_words(told: Told) -> str:
    """Say who was told what, and what came of it."""
    said = f" ({told.said})" if told.said else ""
    times = "" if told.attempts == 1 else f", at attempt {told.attempts}"
    return f"{told.event} to {told.receiver}: {told.outcome}{times}{said}"


def waiting_words(waiting: Waiting) -> str:
    """Say who has still to be told what, and why it was not."""
    said = f"; the last one: {waiting.said}" if waiting.said else ""
    attempts = "1 attempt" if waiting.attempts == 1 else f"{waiting.attempts} attempts"
    again = ""
    if waiting.attempted is not None:
        again = f", next {moment(waiting.attempted + timedelta(seconds=waiting.pause))}"
    return f"{waiting.event} to {waiting.receiver}: {attempts}{again}{said}"


def body_lines(notice: Notice) -> list[tuple[str, str]]:
    """Return a message's lines below its title, as (label, text)."""
    if notice.event == "test":
        return [("What this is", "a test by a person; whoever reads it would be told of alarms")]
    lines = describe(notice.alarm)
    if notice.response:
        lines.append(("What gleis does", notice.response))
    if notice.event != "alarm" or notice.state.status != "open":
        lines.insert(0, ("State", f"{notice.state.words}, {moment(notice.state.at)}"))
    return [*lines, ("Alarm", f"{short_id(notice.alarm.id)}, version {notice.alarm.version}")]


def what_to_do(notice: Notice) -> list[tuple[str, str]]:
    """Return the commands a message offers; none where nothing is left to do."""
    done = notice.event == "test" or notice.state.status == "resolved"
    return [] if done else commands(notice.alarm)


def plain_text(notice: Notice) -> str:
    """Return a whole message as lines of text."""
    lines = [title(notice), ""]
    for label, said in body_lines(notice):
        lines += wrap(said, _WIDTH, initial_indent=f"{label + ':':<17}", subsequent_indent=" " * 17)
    todo = what_to_do(notice)
    if todo:
        lines += ["", "What you can do, in the project's folder:"]
        lines += [line for command, effect in todo for line in (f"  {command}", f"      {effect}")]
    if notice.link:
        lines += ["", f"Pages: {notice.link}"]
    return "\n".join(lines) + "\n"


def commands(alarm: Alarm) -> list[tuple[str, str]]:
    """Return what a person may type, and what each does."""
    short = short_id(alarm.id)
    return [
        (f"gleis alarms show {short}", "everything known"),
        (f"gleis alarms ack {short}", "I look after it; retraining goes on"),
        (
            f"gleis alarms snooze {short} --until 1d",
            "not now; no retraining because of it until then",
        ),
        (f'gleis alarms resolve {short} --note "..."', "done with, for good"),
    ]


def moment(at: datetime) -> str:
    """Write a moment for people."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def age(passed: timedelta) -> str:
    """Write how long ago, in the largest unit that says enough.

    Examples
    --------
    >>> age(timedelta(days=3, hours=5)), age(timedelta(minutes=7)), age(timedelta(0))
    ('3d', '7min', '0min')
    """
    seconds = max(0, int(passed.total_seconds()))
    if seconds < 3600:
        return f"{seconds // 60}min"
    return f"{seconds // 3600}h" if seconds < 2 * 86400 else f"{seconds // 86400}d"
