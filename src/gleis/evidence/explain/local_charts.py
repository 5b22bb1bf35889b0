"""Charts of what explains one answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from gleis.contracts.contract import Contract
from gleis.contracts.explanation import (
    Anchor,
    Contributions,
    Counterfactuals,
    Explained,
    Fidelity,
)
from gleis.contracts.figure import Figure
from gleis.contracts.wording import Wording
from gleis.evidence.explain.drawn import (
    FALLS,
    QUIET,
    RISES,
    WIDTH,
    Chart,
    called,
    condition_text,
    data,
    outcome,
    score_axis,
    shown,
    title,
    wrapped,
)

_SHOWN = 12
"""Features that have a bar of their own; the others share one."""
_SCALES = {"logit": "log-odds", "log": "logarithm", "identity": "score"}


def contributions_chart(found: Contributions, contract: Contract, names: Wording) -> Chart:
    """Draw a bar for what each feature adds, from the base value to the answer (a waterfall).

    Of LIME the bars begin at 0, and are labelled with the condition whose effect they are.
    """
    bars = _bars(found, contract, names)
    order = [bar["label"] for bar in bars]
    scale = _SCALES.get(found.link, found.link)
    axis = f"{score_axis(found.explained.of, contract, names)}" + (
        "" if found.link == "identity" else f" ({scale})"
    )
    y = alt.Y("label:N", sort=order, title=None, axis=alt.Axis(labelLimit=260, ticks=False))
    base = alt.Chart(data(bars)).encode(y=y)
    bar = base.mark_bar(height=14).encode(
        x=alt.X("start:Q", title=axis, scale=alt.Scale(zero=False, nice=True)),
        x2="end:Q",
        color=alt.Color(
            "way:N",
            scale=alt.Scale(domain=["raises", "lowers"], range=[RISES, FALLS]),
            legend=alt.Legend(title=None, orient="top"),
        ),
        tooltip=["label:N", alt.Tooltip("adds:Q", format="+.4~g")],
    )
    text = base.mark_text(align="left", dx=4, color=QUIET).encode(
        x=alt.X("right:Q"), text=alt.Text("adds:Q", format="+.2~g")
    )
    lines = alt.Chart(data(_ends(found))).mark_rule(color=QUIET, strokeDash=[4, 4])
    rules = lines.encode(x="at:Q", tooltip=["what:N", alt.Tooltip("at:Q", format=".4~g")])
    return alt.layer(rules, bar, text).properties(
        width=WIDTH,
        height=alt.Step(20),
        title=title(
            _answer(found.explained, contract, names),
            "What each feature adds to the base value (left dashed line: base, right: answer)"
            if found.method == "shap" and found.value >= found.base_value
            else "What each feature adds to the base value (dashed: base and answer)"
            if found.method == "shap"
            else "What each condition adds, in a linear model of the neighbourhood",
            _checks(found.fidelity),
        ),
    )


def anchor_chart(found: Anchor, contract: Contract, names: Wording) -> Chart:
    """Draw how sure the rule is, and how many rows it applies to, below the rule."""
    figures = {"precision": found.precision, "coverage": found.coverage}
    rows = [_dot(name, figure) for name, figure in figures.items()]
    y = alt.Y("name:N", title=None, sort=list(figures))
    x = alt.X("value:Q", title="share of rows", scale=alt.Scale(domain=[0, 1]))
    base = alt.Chart(data(rows)).encode(y=y)
    line = base.mark_rule(strokeWidth=3, color=RISES).encode(x=alt.X("low:Q"), x2="high:Q")
    dot = base.mark_point(filled=True, size=90, opacity=1, color=RISES).encode(
        x=x, tooltip=["name:N", *(alt.Tooltip(f"{f}:Q", format=".3f") for f in _FIGURE)]
    )
    text = base.mark_text(dy=-12, color=QUIET).encode(x=x, text=alt.Text("value:Q", format=".1%"))
    rule = [f"– {condition_text(each, contract, names)}" for each in found.rule] or ["– (anything)"]
    answer = found.explained.prediction
    said = outcome(answer, contract, names) if contract.classes else str(answer)
    if found.within is not None:
        said = f"{found.explained.score:.5g} give or take {found.within:.3g}"
    return alt.layer(line, dot, text).properties(
        width=WIDTH,
        height=alt.Step(34),
        title=title(
            _answer(found.explained, contract, names),
            f"It stays {said}, whatever else changes, while",
            *rule,
        ),
    )


def counterfactuals_chart(found: Counterfactuals, contract: Contract, names: Wording) -> Chart:
    """Draw a table: what the row has, and what each way to another answer has instead."""
    features = list(dict.fromkeys(f for each in found.found for f in each.changes))
    cells: list[dict[str, Any]] = []
    for feature in features:
        now = next(each.changes[feature][0] for each in found.found if feature in each.changes)
        cells.append(_cell("now", called(feature, names), shown(feature, now, contract, names)))
        for place, each in enumerate(found.found, start=1):
            changed = feature in each.changes
            value = each.changes[feature][1] if changed else now
            text = shown(feature, value, contract, names) if changed else "as now"
            cells.append(_cell(f"way {place}", called(feature, names), text, changed=changed))
    last = score_axis(found.explained.of, contract, names)
    scores = [found.explained.score, *(each.score for each in found.found)]
    ways = ["now", *(f"way {place}" for place in range(1, len(scores)))]
    share = found.explained.of is not None
    cells += [
        _cell(way, last, f"{score:.0%}" if share else f"{score:,.4g}", answer=True)
        for way, score in zip(ways, scores, strict=True)
    ]
    rows = [*(called(feature, names) for feature in features), last]
    x = alt.X(
        "way:N",
        sort=ways,
        title=None,
        axis=alt.Axis(orient="top", labelAngle=0, domain=False, ticks=False),
    )
    y = alt.Y(
        "what:N", sort=rows, title=None, axis=alt.Axis(labelLimit=260, domain=False, ticks=False)
    )
    base = alt.Chart(data(cells)).encode(x=x, y=y)
    box = base.mark_rect(stroke="white", strokeWidth=2).encode(
        color=alt.Color(
            "kind:N",
            scale=alt.Scale(
                domain=["same", "changed", "answer"], range=["#F2F2F2", "#CCE3F0", "#E8E8E8"]
            ),
            legend=None,
        )
    )
    text = base.mark_text().encode(
        text="text:N",
        color=alt.condition("datum.kind == 'same'", alt.value(QUIET), alt.value("black")),
    )
    fixed = ", ".join(called(name, names) for name in found.immutable)
    return alt.layer(box, text).properties(
        width=alt.Step(110),
        height=alt.Step(28),
        title=title(
            _answer(found.explained, contract, names),
            "What would have had to be otherwise for another answer",
            *wrapped([f"Not changed: {fixed}"] if fixed else []),
            *wrapped([found.note] if found.note else []),
        ),
    )


_FIGURE = ("value", "low", "high")


def _answer(explained: Explained, contract: Contract, names: Wording) -> str:
    what = score_axis(explained.of, contract, names)
    if explained.of is None:
        return f"{what}: {explained.score:,.4g}"
    return f"{what[:1].upper()}{what[1:]}: {explained.score:.1%}"


def _checks(fidelity: Sequence[Fidelity]) -> str:
    return "; ".join(f"{check.measure} {check.value:.2g}" for check in fidelity)


def _bars(found: Contributions, contract: Contract, names: Wording) -> list[dict[str, Any]]:
    ranked = sorted(found.contributions.items(), key=lambda each: -abs(each[1]))
    parts = [(_label(found, f, contract, names), v) for f, v in ranked[:_SHOWN] if v]
    rest = [v for _, v in ranked[_SHOWN:] if v]
    if rest:
        parts.append((f"{len(rest)} others" if len(rest) > 1 else "another one", sum(rest)))
    bars, at = [], found.base_value if found.method == "shap" else 0.0
    for label, adds in parts:
        start, at = at, at + adds if found.method == "shap" else 0.0
        end = start + adds
        bars.append(
            {
                "label": label,
                "start": start,
                "end": end,
                "right": max(start, end),
                "adds": adds,
                "way": "raises" if adds > 0 else "lowers",
            }
        )
    return bars


def _label(found: Contributions, feature: str, contract: Contract, names: Wording) -> str:
    given = f"{feature} = "
    if feature in found.conditions and not found.conditions[feature].startswith(given):
        return found.conditions[feature].replace(feature, called(feature, names), 1)
    if feature in found.explained.row:
        value = shown(feature, found.explained.row[feature], contract, names)
        return f"{called(feature, names)} = {value}"
    return called(feature, names)


def _ends(found: Contributions) -> list[dict[str, Any]]:
    if found.method != "shap":
        return [{"at": 0.0, "what": "adds nothing"}]
    return [{"at": found.base_value, "what": "base"}, {"at": found.value, "what": "answer"}]


def _dot(name: str, figure: Figure) -> dict[str, Any]:
    return {"name": name, "value": figure.value, "low": figure.low, "high": figure.high}


def _cell(
    way: str, what: str, text: str, *, changed: bool = False, answer: bool = False
) -> dict[str, Any]:
    kind = "answer" if answer else "changed" if changed else "same"
    return {"way": way, "what": what, "text": text, "kind": kind}
