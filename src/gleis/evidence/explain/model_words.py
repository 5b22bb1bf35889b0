"""What explains a model, in sentences."""

from __future__ import annotations

import math

from gleis.contracts.explanation import Effect, Importance, Surrogate
from gleis.evidence.explain.extrapolation import WORTH_SAYING
from gleis.evidence.explain.speaker import Speaker, unlinked
from gleis.evidence.explain.written import number, points, share

_NAMED = 3
"""Features that are named."""
_FLAT = 1e-12


def effect_in_words(speaker: Speaker, found: Effect) -> list[str]:
    """Say where the score is lowest and highest."""
    if found.of is None:
        what = speaker.say("mean value", target=speaker.name(speaker.contract.target))
    else:
        what = speaker.say("mean class", of=speaker.outcome(found.of))
    name = speaker.name(found.feature)
    low, high = (found.values.index(f(found.values)) for f in (min, max))
    if found.values[high] - found.values[low] <= _FLAT:
        return [speaker.say("flat", what=what, name=name), speaker.say("effect not")]
    ends = {
        "what": what,
        "name": name,
        "at_low": speaker.value(found.feature, found.grid[low]),
        "at_high": speaker.value(found.feature, found.grid[high]),
    }
    if found.method == "ale":
        said = [
            speaker.say(
                "ale", low=_height(speaker, found, low), high=_height(speaker, found, high), **ends
            )
        ]
    else:
        heights = {"low": _height(speaker, found, low), "high": _height(speaker, found, high)}
        said = [speaker.say("ends", rows=speaker.count(found.rows), **heights, **ends)]
    if found.method == "ice" and found.low:
        band = {"low": speaker.score(found.low[high]), "high": speaker.score(found.high[high])}
        said.append(speaker.say("spread", name=name, at=ends["at_high"], **band))
    if found.surface:
        said.append(_together(speaker, found))
    made_up = [f.value for f in found.fidelity if f.measure == "outside what was seen"]
    if made_up and made_up[0] >= WORTH_SAYING:
        said.append(speaker.say("outside", share=share(made_up[0], speaker.language)))
    return [*said, speaker.say("effect not")]


def _together(speaker: Speaker, found: Effect) -> str:
    pairs = [
        (value, at, beside)
        for at, line in zip(found.grid, found.surface, strict=True)
        for beside, value in zip(found.beside_grid, line, strict=True)
    ]
    parts = {}
    for end, choose in (("low", min), ("high", max)):
        value, at, beside = choose(pairs, key=lambda each: each[0])
        parts[end] = speaker.score(value)
        parts[f"at_{end}"] = speaker.value(found.feature, at)
        parts[f"beside_{end}"] = speaker.value(found.beside, beside)
    names = {"name": speaker.name(found.feature), "beside": speaker.name(found.beside)}
    return speaker.say("together", **names, **parts)


def _height(speaker: Speaker, found: Effect, place: int) -> str:
    value = found.values[place]
    if found.method == "ale":
        size = abs(value)
        return points(size, speaker.language) if found.of else number(size, speaker.language, 3)
    back = unlinked(value, found.link)
    return number(value, speaker.language, 3) if back is None else speaker.score(back)


def importance_in_words(speaker: Speaker, found: Importance) -> list[str]:
    """Say what the model relies on."""
    ranked = sorted(found.features.items(), key=lambda each: -each[1].value)
    sure = [(name, figure) for name, figure in ranked if figure.low > 0]
    unsure = [name for name, figure in ranked if figure.low <= 0]
    said = []
    items = speaker.items([_group(speaker, name) for name, _ in sure[:_NAMED]])
    if sure and found.method == "shap_summary":
        said.append(speaker.say("moves", items=items))
    elif sure:
        name, figure = sure[0]
        low, value, high = (
            number(v, speaker.language, 3) for v in (figure.low, figure.value, figure.high)
        )
        metric = found.unit.removeprefix("rise of ").replace("_", " ")
        rows = speaker.count(found.rows)
        said.append(speaker.say("most", items=items))
        said.append(
            speaker.say(
                "rise", name=_group(speaker, name), rows=rows, metric=metric, value=value, low=low,
                high=high,
            )
        )  # fmt: skip
    if unsure and found.method == "permutation":
        items = speaker.items([_group(speaker, name) for name in unsure])
        said.append(speaker.say("no reliance", items=items))
    return [*said, speaker.say("importance not")]


def _group(speaker: Speaker, name: str) -> str:
    return " + ".join(speaker.name(part) for part in name.split(" + "))


def surrogate_in_words(speaker: Speaker, found: Surrogate) -> list[str]:
    """Say the rules of a small tree, a line each."""
    r2 = found.fidelity[0].value if found.fidelity else math.nan
    said = [speaker.say("surrogate", fidelity=share(max(0.0, r2), speaker.language))]
    for rule, value, rows in found.rules:
        parts = {"value": _mean(speaker, found.of, value), "rows": speaker.count(rows)}
        said.append(
            speaker.say("rule", rule=speaker.rule(rule), **parts)
            if rule
            else speaker.say("always", **parts)
        )
    return [*said, speaker.say("surrogate not")]


def _mean(speaker: Speaker, of: str | None, value: float) -> str:
    if of is None:
        return speaker.score(value)
    what = speaker.say("mean class", of=speaker.outcome(of))
    return speaker.say("score is", what=what, value=share(value, speaker.language))
