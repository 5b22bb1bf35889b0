"""What explains one answer, in sentences."""

from __future__ import annotations

from gleis.contracts.explanation import (
    Anchor,
    Contributions,
    Counterfactual,
    Counterfactuals,
    Explained,
)
from gleis.evidence.explain.speaker import Speaker, unlinked
from gleis.evidence.explain.written import number, share

_NAMED = 3
"""Features, or ways to another answer, that are named."""
_COUNTS = 0.03
"""Share of all contributions from which one is named."""


def contributions_in_words(speaker: Speaker, found: Contributions) -> list[str]:
    """Say what counted for and against an answer."""
    said = speaker.answered(found.explained)
    base = unlinked(found.base_value, found.link)
    if found.method == "shap" and base is not None:
        said.append(speaker.say("start", base=speaker.score(base)))
    whole = sum(abs(part) for part in found.contributions.values())
    ranked = sorted(found.contributions.items(), key=lambda each: -abs(each[1]))
    named = 0
    sides = ("against", "for") if found.explained.of is not None else ("lowered", "raised")
    for sign, phrase in zip((-1, 1), sides, strict=True):
        chosen = [f for f, v in ranked if v * sign > 0 and abs(v) >= _COUNTS * whole][:_NAMED]
        named += len(chosen)
        if chosen:
            items = speaker.items([_item(speaker, found, feature) for feature in chosen])
            said.append(speaker.say(phrase, items=items))
    if not named:
        said.append(speaker.say("nothing"))
    if found.method == "shap":
        return [*said, speaker.say("not causal")]
    r2 = next((f.value for f in found.fidelity if f.measure == "local R2"), None)
    if r2 is None:
        return [*said, speaker.say("not causal")]
    return [*said, speaker.say("lime", fidelity=share(max(0.0, r2), speaker.language))]


def _item(speaker: Speaker, found: Contributions, feature: str) -> str:
    if feature not in found.explained.row:
        return found.conditions.get(feature, speaker.name(feature))
    value = speaker.value(feature, found.explained.row[feature])
    name = speaker.name(feature)
    if name.endswith(")"):
        return speaker.say("item inside", name=name[:-1], value=value)
    return speaker.say("item", name=name, value=value)


def anchor_in_words(speaker: Speaker, found: Anchor) -> list[str]:
    """Say which rule is enough for an answer."""
    answer = speaker.outcome(found.explained.prediction)
    if found.within is not None:
        reach = number(found.within, speaker.language, 3)
        answer = speaker.say("give or take", answer=answer, reach=reach)
    parts = {
        "answer": answer,
        "precision": share(found.precision.value, speaker.language),
        "low": share(found.precision.low, speaker.language),
        "high": share(found.precision.high, speaker.language),
    }
    if not found.rule:
        return [speaker.say("anchor without rule", **parts), speaker.say("anchor not")]
    coverage = share(found.coverage.value, speaker.language)
    return [
        *speaker.answered(found.explained)[:1],
        speaker.say("anchor", rule=speaker.rule(found.rule), coverage=coverage, **parts),
        speaker.say("anchor not"),
    ]


def counterfactuals_in_words(speaker: Speaker, found: Counterfactuals) -> list[str]:
    """Say what would have had to be otherwise."""
    said = speaker.answered(found.explained)
    for place, each in enumerate(found.found[:_NAMED]):
        changes = speaker.items(
            [
                speaker.say(
                    "change",
                    name=speaker.name(feature),
                    before=speaker.value(feature, before),
                    after=speaker.value(feature, after),
                )
                for feature, (before, after) in each.changes.items()
            ]
        )
        said.append(
            speaker.say(
                "or had" if place else "had",
                changes=changes,
                answer=speaker.outcome(each.prediction),
                chance=_chance(speaker, found.explained, each),
            )
        )
    if not found.found:
        said.append(speaker.say("none found"))
    if found.immutable:
        names = speaker.items([speaker.name(feature) for feature in found.immutable])
        said.append(speaker.say("immutable", names=names))
    return [*said, speaker.say("counterfactual not")]


def _chance(speaker: Speaker, explained: Explained, other: Counterfactual) -> str:
    if explained.of is None:
        return ""
    of = str(other.prediction) if speaker.contract.task == "multiclass" else explained.of
    return speaker.say("chance then", of=speaker.outcome(of), score=speaker.score(other.score))
