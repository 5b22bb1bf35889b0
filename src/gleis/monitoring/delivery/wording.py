"""What people are told of an alarm, in plain words: in messages and on the terminal alike."""

from __future__ import annotations

from datetime import datetime, timedelta
from textwrap import wrap

from gleis.contracts.alarm import Alarm, AlarmKind, Expected
from gleis.contracts.notice import Event, Handled, Notice, Told, Waiting, short_id
from gleis.monitoring.telling import say_expected, say_moved

_KINDS: dict[AlarmKind, str] = {
    "drift": "`{subject}` has changed",
    "performance": "the model is worse than promised",
    "estimate": "the model is probably worse than promised",
    "labels": "labels stay away",
    "fairness": "groups are treated differently: `{subject}`",
    "joint": "features changed together",
    "service": "what comes in cannot be answered",
    "source": "`{subject}` is not filled any more",
}
_EVENTS: dict[Event, str] = {
    "alarm": "{kind} alarm: {what}",
    "reminder": "{kind} alarm still open: {what}",
    "resolved": "resolved: {what}",
    "test": "a test: nothing is wrong",
}
_MOVED = 5
"""Columns that are named one by one."""
_ALSO = 10
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
    said = next((one.says for one in alarm.moved if one.column == alarm.subject), "")
    if alarm.kind == "drift" and said:
        return f"`{alarm.subject}` {said}"
    return _KINDS[alarm.kind].format(subject=alarm.subject)


def title(notice: Notice) -> str:
    """Return the subject of a mail, the first line of a chat message."""
    alarm = notice.alarm
    return (
        f"{notice.project}: {_EVENTS[notice.event].format(kind=alarm.kind, what=headline(alarm))}"
    )


def first_words(alarm: Alarm) -> str:
    """Return what changed, without what follows from it and the evidence behind it."""
    return alarm.message.partition("; ")[0]


def describe(alarm: Alarm) -> list[tuple[str, str]]:
    """Say what changed, what it means, since when and how sure that is, as (label, text)."""
    return [
        *change_lines(alarm),
        ("What it means", meaning(alarm)),
        ("How sure", certainty(alarm)),
        ("Since", since_words(alarm)),
        ("Noticed", moment(alarm.at) + (f", of version {alarm.version}" if alarm.version else "")),
    ]


def change_lines(alarm: Alarm) -> list[tuple[str, str]]:
    """Say what changed, column by column where columns are known."""
    changed = ["; ".join(say_moved(one, alarm.at)) for one in alarm.moved[:_MOVED] if one.says]
    others = len(alarm.moved) - len(changed)
    if changed and others:
        changed.append(f"and {others} more columns: gleis alarms show {short_id(alarm.id)}")
    lines = [("What changed", said) for said in changed or [_sentence(alarm)]]
    if alarm.also and not changed:
        more = f" and {len(alarm.also) - _ALSO} more" if len(alarm.also) > _ALSO else ""
        lines.append(("Also changed", ", ".join(alarm.also[:_ALSO]) + more))
    return lines


def _sentence(alarm: Alarm) -> str:
    """Return a monitor's message without evidence and promise, which have a line of their own."""
    return alarm.message.partition("; evidence 10^")[0].removesuffix(alarm.promise).rstrip(" ;")


def since_words(alarm: Alarm) -> str:
    """Say since when the change holds, as far as it is known."""
    if alarm.since is None:
        return "not known"
    if alarm.between is None:
        return f"about {moment(alarm.since)}"
    early, late = alarm.between
    return f"about {moment(alarm.since)}, between {early:%d %b %H:%M} and {late:%d %b %H:%M}"


def meaning(alarm: Alarm) -> str:
    """Say what the change is expected to do to the model."""
    if alarm.expected is not None:
        return _expected(alarm.expected, harmless=bool(alarm.harmless))
    if alarm.kind == "performance":
        return "the predictions are worse than they were on the test rows, by labels that came"
    if alarm.kind in {"labels", "service"}:
        return "until it is mended, nobody can say how good the model is"
    if alarm.kind == "source":
        return "whatever reads the table, the next training and features too, has old rows"
    if alarm.kind == "fairness":
        return "the model treats groups of people less alike than when it was judged"
    return "not known yet: labels, or an estimate from more rows, will tell"


def _expected(expected: Expected, *, harmless: bool) -> str:
    said = (
        f"{say_expected(expected)}, from {expected.before:.3g}: estimated from {expected.rows:,} "
        "rows, before their labels"
    )
    if harmless:
        return f"{said}; too little to matter"
    if expected.low > 0:
        return f"{said}; surely worse"
    return f"{said}; may be none" if expected.high > 0 else f"{said}; not worse"


def certainty(alarm: Alarm) -> str:
    """Say how often such an alarm is wrong, and what later rows said of this one."""
    if alarm.kind == "source":
        return alarm.promise
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
    """Return a message's lines below its title, as (label, text): first what matters at night."""
    if notice.event == "test":
        return [("What this is", "a test by a person; whoever reads it would be told of alarms")]
    alarm, state = notice.alarm, notice.state
    standing = [("State", f"{state.words}; {moment(state.at)}")] if state.by else []
    does = [("What gleis does", notice.response)] if notice.response else []
    name = ("Alarm", f"{short_id(alarm.id)} ({alarm.id})")
    if notice.event == "resolved":
        return [*standing, *change_lines(alarm), ("How sure", certainty(alarm)), name]
    changed, rest = change_lines(alarm), describe(alarm)
    meant, *more = rest[len(changed) :]
    return [*standing, *changed, meant, *does, *more, name]


def what_to_do(notice: Notice) -> list[tuple[str, str]]:
    """Return the commands a message offers; none where nothing is left to do."""
    done = notice.event == "test" or notice.state.status == "resolved"
    return [] if done else commands(notice.alarm)


def plain_text(notice: Notice) -> str:
    """Return a whole message as lines of text."""
    lines = [title(notice), ""]
    before = ""
    for label, said in body_lines(notice):
        begin = "" if label == before else f"{label}:"
        lines += wrap(said, _WIDTH, initial_indent=f"{begin:<17}", subsequent_indent=" " * 17)
        before = label
    todo = what_to_do(notice)
    if todo:
        lines += ["", "What you can do, in the project's folder:"]
        lines += [f"  {command:<41} {effect}" for command, effect in todo]
    if notice.link:
        lines += ["", f"Pages: {notice.link}"]
    return "\n".join(lines) + "\n"


def commands(alarm: Alarm) -> list[tuple[str, str]]:
    """Return what a person may type, and what each does."""
    short = short_id(alarm.id)
    return [
        (f"gleis alarms show {short}", "everything known"),
        (f"gleis alarms ack {short}", "I look after it; gleis goes on, may retrain"),
        (
            f"gleis alarms snooze {short} --until 1d",
            "not now, and no retraining because of it",
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
