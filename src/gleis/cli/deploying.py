"""``gleis deploy``, ``gleis promote``, ``gleis rollback``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import print_json, print_table, say, working
from gleis.contracts.errors import ConfigError
from gleis.contracts.release import Strategy

_MOVING = "Moving the alias here and in MLflow"
_FOLLOWS = "A running service follows within a second."
Why = Annotated[str, typer.Option(help="Why; it goes into the history.")]
Override = Annotated[
    str | None, typer.Option(help="Go on although its gates failed, for this reason.")
]


def deploy(
    version: Annotated[
        str | None, typer.Argument(help="v3, 3, or an alias; without it, shows what runs.")
    ] = None,
    shadow: Annotated[bool, typer.Option("--shadow", help="It looks on, answers nobody.")] = False,
    canary: Annotated[
        str | None, typer.Option(help="It answers this share; rolled back when it is worse.")
    ] = None,
    ab: Annotated[
        str | None, typer.Option(help="It answers this share; promoted when it is better.")
    ] = None,
    bandit: Annotated[
        bool, typer.Option("--bandit", help="It answers as much as it is believed to be better.")
    ] = False,
    champion: Annotated[bool, typer.Option("--champion", help="It is promoted at once.")] = False,
    end: Annotated[bool, typer.Option("--end", help="End what runs; the champion stays.")] = False,
    reason: Why = "by hand",
    override: Override = None,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Try a version beside the champion, or show what runs and its evidence so far.

    Example: gleis deploy v4 --canary 5%
    """
    chosen = _chosen(shadow, canary, ab, bandit, champion, end)
    from gleis.lifecycle import deploying  # keeps `gleis --help` light

    bench = open_project(project).bench
    if chosen is None and version is None:
        with working("Reading the log"):
            found = deploying.show(bench)
    elif chosen == "end":
        found = deploying.end(bench, reason)
    else:
        strategy, share = _strategy(version, chosen, canary, ab)
        with working("Checking the package"):
            found = deploying.deploy(
                bench, str(version), strategy, reason, share=share, override=override
            )
    if as_json:
        print_json(found)
    else:
        _say(found)


def promote(
    version: Annotated[str, typer.Argument(help="v3, 3, or an alias.", metavar="VERSION")],
    reason: Why = "by hand",
    override: Annotated[
        str | None, typer.Option(help="Promote although its gates failed, for this reason.")
    ] = None,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Make a version champion; a release that runs is over.

    Example: gleis promote v3 --reason "agreed in the model board"
    """
    opened = open_project(project)
    with working(_MOVING):
        found = opened.promote(version, reason, override)
    if as_json:
        print_json({"champion": found})
        return
    say(f"Version {found.number} is champion. {_FOLLOWS}")


def rollback(
    reason: Why = "by hand",
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """Make the previous champion champion again; a release that runs is over.

    To take back only the version on trial: gleis deploy --end.

    Example: gleis rollback --reason "wrong weather feed"
    """
    opened = open_project(project)
    with working(_MOVING):
        found = opened.rollback(reason)
    if as_json:
        print_json({"champion": found})
        return
    say(f"Version {found.number} is champion again. {_FOLLOWS}")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(deploy)
    app.command()(promote)
    app.command()(rollback)


def _chosen(
    shadow: bool, canary: str | None, ab: str | None, bandit: bool, champion: bool, end: bool
) -> str | None:
    given = {
        "shadow": shadow,
        "canary": canary is not None,
        "ab": ab is not None,
        "bandit": bandit,
        "champion": champion,
        "end": end,
    }
    names = [name for name, is_given in given.items() if is_given]
    if len(names) > 1:
        raise ConfigError(
            "Only one way at a time",
            seen=" ".join(f"--{name}" for name in names),
            remedy="Take one of --shadow, --canary, --ab, --bandit, --champion and --end.",
        )
    return names[0] if names else None


def _strategy(
    version: str | None, chosen: str | None, canary: str | None, ab: str | None
) -> tuple[Strategy, float | None]:
    if version is None or chosen is None:
        raise ConfigError(
            "Which version, and how?",
            seen=f"--{chosen}" if chosen else version,
            remedy="gleis deploy v4 --shadow, --canary 5%, --ab 50%, --bandit or --champion.",
        )
    text = canary or ab
    strategies: dict[str, Strategy] = {
        "shadow": "shadow",
        "canary": "canary",
        "ab": "ab",
        "bandit": "bandit",
        "champion": "champion",
    }
    return strategies[chosen], parse_share(text) if text is not None else None


def parse_share(text: str) -> float:
    """Read ``5%`` or ``0.05``.

    Raises
    ------
    ConfigError
        It is neither, or not between 0 and 1.

    Examples
    --------
    >>> parse_share("5%"), parse_share("0.5")
    (0.05, 0.5)
    """
    number, percent, rest = text.strip().partition("%")
    try:
        share = float(number) / (100.0 if percent else 1.0)
    except ValueError:
        share = -1.0
    if rest or not 0.0 < share < 1.0:
        raise ConfigError(
            "This is not a share of the rows",
            seen=text,
            remedy="Write 5% or 0.05; to give it everything: gleis promote.",
            field="share",
        )
    return share


def _say(found: dict[str, Any]) -> None:
    release = found.get("release")
    if release is None:
        number = found["champion"]
        say(f"Version {number} answers alone." if number else "No version answers: gleis run.")
        if (last := found.get("last")) is not None:
            say(
                f"  The last release, {last['strategy']} of version {last['challenger']}, was "
                f"{last['outcome']} {last['at'][:19]} by {last['by']}: {last['reason']}"
            )
        return
    share = f"{release['share']:.1%} of the rows" if release["share"] else "nobody; it looks on"
    say(
        f"{release['strategy']}: version {release['challenger']} beside version "
        f"{release['champion']} since {release['since'][:19]}, answers {share}."
    )
    _say_table(release)
    say(f"{release['comparison']['action']}: {release['comparison']['reason']}")


def _say_table(release: dict[str, Any]) -> None:
    comparison = release["comparison"]
    rows = []
    for name in ("champion", "challenger"):
        side = release["answered"][name]
        rows.append(
            (
                f"v{release[name]} {name}",
                side["rows"],
                side["fallbacks"],
                comparison["labelled"][name],
                comparison["mean"][name],
            )
        )
    print_table(("version", "rows", "fallbacks", "labelled", comparison["metric"]), rows)
    if (shadow := release["shadow"]) is not None and shadow["passed_over"]:
        say(f"It could not keep up with {shadow['passed_over']:,} rows.", style="yellow")
    for name, shift in release["score_shift"].items():
        if shift is not None:
            say(f"`{name}` lies {shift:+.2f} standard deviations beside the champion's.")
