"""``gleis fairness --live``: figures of production beside those of the test rows."""

from __future__ import annotations

from collections.abc import Collection

from gleis.cli.output import print_json, print_table, say
from gleis.contracts.fairness import AttributeFairness, Fairness
from gleis.contracts.figure import Figure
from gleis.lifecycle.project import Project


def show_live(
    opened: Project, attribute: str | None, shown: Collection[str] | None, *, as_json: bool
) -> None:
    """Print what separates groups, a line a figure: in production, and on the test rows.

    Parameters
    ----------
    opened : Project
    attribute : str, optional
        Only this one, or this intersection.
    shown : collection of str, optional
        Names of the figures; by default all.
    as_json : bool
    """
    from gleis.lifecycle.live_fairness import find_live_fairness

    found = find_live_fairness(opened.bench)
    if as_json:
        print_json(found)
        return
    say(f"Version {found.version} in production, {found.since:%Y-%m-%d} to {found.until:%Y-%m-%d}",
        style="bold")  # fmt: skip
    say(f"  answers   {found.answers:,}")
    say(f"  labelled  {found.labelled:,}, mature")
    for live in _chosen(found.live, attribute):
        _print_attribute(live, _same(found.evidence, live), shown)
    if found.live is None:
        say("No answer's group is known yet.", style="yellow")
    for note in found.notes:
        say(f"note  {note}")


def _chosen(live: Fairness | None, attribute: str | None) -> list[AttributeFairness]:
    every = [] if live is None else list(live.attributes)
    if attribute is None:
        return every
    wanted = sorted(attribute.replace(" ", "").split("*"))
    return [each for each in every if sorted(each.attributes) == wanted]


def _same(evidence: Fairness | None, live: AttributeFairness) -> AttributeFairness | None:
    there = () if evidence is None else evidence.attributes
    return next((each for each in there if each.attributes == live.attributes), None)


def _print_attribute(
    live: AttributeFairness, tested: AttributeFairness | None, shown: Collection[str] | None
) -> None:
    before = {} if tested is None else tested.figures
    names = [name for name in live.figures if shown is None or name in shown]
    say()
    rows = [(name, _span(live.figures[name]), _span(before.get(name))) for name in names]
    if rows:
        print_table([f"between groups of {live.name}", "in production", "on the test rows"], rows)
    selection = "selection_rate"
    groups = [
        (g.name, g.rows, _span(g.figures[selection]), _of(tested, g.values, selection))
        for g in live.groups
        if selection in g.figures
    ]
    if groups:
        print_table([live.name, "labelled", "selection rate", "on the test rows"], groups)


def _of(tested: AttributeFairness | None, values: tuple[str, ...], name: str) -> str | None:
    there = () if tested is None else tested.groups
    return next((_span(g.figures.get(name)) for g in there if g.values == values), None)


def _span(figure: Figure | None) -> str | None:
    if figure is None:
        return None
    return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"
