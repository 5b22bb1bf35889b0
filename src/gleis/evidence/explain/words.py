"""Explanations in plain words, for the person they are about."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gleis.config.settings import ExplainSettings
from gleis.contracts.contract import Column, Contract
from gleis.contracts.errors import InvalidRowError
from gleis.contracts.explanation import (
    Anchor,
    Condition,
    Contributions,
    Counterfactual,
    Counterfactuals,
    Effect,
    Explained,
    Explanation,
    Fidelity,
    Importance,
    Surrogate,
    Value,
)
from gleis.contracts.wording import Language, Wording
from gleis.evidence.explain.extrapolation import WORTH_SAYING
from gleis.evidence.explain.phrases import MEASURES, PHRASES
from gleis.evidence.explain.written import listed, number, points, share, written

_NAMED = 3
"""Features that are named on each side."""
_COUNTS = 0.03
"""Share of all contributions from which one is named."""
_FLAT = 1e-12


def wording(settings: ExplainSettings, language: Language) -> Wording:
    """Return what things are called in a language, as ``[explain]`` says.

    Examples
    --------
    >>> wording(ExplainSettings(names={"loan": "the loan"}), "en").names
    {'loan': 'the loan'}
    """
    german = language == "de"
    return Wording(
        names=settings.names_de if german else settings.names,
        outcomes=settings.outcomes_de if german else settings.outcomes,
    )


def in_words(
    explanation: Explanation,
    contract: Contract,
    language: Language = "en",
    *,
    names: Wording | None = None,
) -> str:
    """Say an explanation in plain sentences.

    Parameters
    ----------
    explanation : Explanation
        Of any kind. One that failed its own check is not told; that it did is.
    contract : Contract
        Units and kinds of the features.
    language : str
        ``en`` or ``de``; numbers are written as it does.
    names : Wording, optional
        What features, values and classes are called; by default as in the data.

    Returns
    -------
    str
        Sentences; the last ones say what the explanation does not.

    Raises
    ------
    InvalidRowError
        There is no such language.

    Examples
    --------
    >>> from gleis.contracts.explanation import Counterfactual
    >>> loan = Column(name="loan", kind="number")
    >>> contract = Contract(task="binary", features=(loan,), target="ok", classes=("0", "1"))
    >>> print(in_words(
    ...     Counterfactuals(
    ...         explained=Explained(prediction="0", score=0.42, of="1"),
    ...         found=(Counterfactual(
    ...             changes={"loan": (150000, 120000)}, prediction="1", score=0.6, distance=1.0),),
    ...         immutable=(), fidelity=()),
    ...     contract,
    ...     names=Wording(names={"loan": "the loan"}, outcomes={"0": "no", "1": "approval"}),
    ... ))
    The chance of approval was 42%. The answer was no. Had the loan been 120,000 instead of \
150,000, the answer would have been approval (chance of approval: 60%). It says what the model \
would answer, not whether such a change is possible, nor what it would change in life.
    """
    if language not in PHRASES:
        raise InvalidRowError(
            "There are no words in this language",
            seen=language,
            remedy=f"Ask for one of {', '.join(PHRASES)}.",
            field="language",
        )
    speaker = _Speaker(contract, language, names or Wording())
    for check in explanation.fidelity:
        if not check.holds:
            return speaker.failed(check)
    return speaker.of(explanation)


@dataclass(frozen=True)
class _Speaker:
    """A contract, a language and names."""

    contract: Contract
    language: Language
    wording: Wording

    def of(self, explanation: Explanation) -> str:
        if isinstance(explanation, Contributions):
            return " ".join(self._contributions(explanation))
        if isinstance(explanation, Anchor):
            return " ".join(self._anchor(explanation))
        if isinstance(explanation, Counterfactuals):
            return " ".join(self._counterfactuals(explanation))
        if isinstance(explanation, Effect):
            return " ".join(self._effect(explanation))
        if isinstance(explanation, Importance):
            return " ".join(self._importance(explanation))
        return "\n".join(self._surrogate(explanation))

    def failed(self, check: Fidelity) -> str:
        called, asked = MEASURES[self.language], check.asked
        for measure, name in called.items():
            asked = asked.replace(measure, name)
        measure = called.get(check.measure, check.measure)
        value = number(check.value, self.language, 3)
        return self.say("fails", measure=measure, value=value, asked=asked)

    def say(self, phrase: str, **parts: str) -> str:
        text = PHRASES[self.language][phrase].format(**parts)
        return text[:1].upper() + text[1:] if text[-1:] in ".:" else text

    def name(self, feature: str) -> str:
        return self.wording.names.get(feature, feature)

    def value(self, feature: str, value: Value) -> str:
        return written(value, self._column(feature), self.language, self.wording)

    def outcome(self, label: Value) -> str:
        """Return what a class is, or the value of a regression."""
        if self.contract.classes is None and isinstance(label, int | float):
            return number(label, self.language, 5)
        given = self.wording.outcomes.get(str(label))
        target = self.name(self.contract.target)
        return given or self.say("class", target=target, value=str(label))

    def score(self, score: float, *, classes: bool | None = None) -> str:
        probability = self.contract.classes is not None if classes is None else classes
        return share(score, self.language) if probability else number(score, self.language, 5)

    def count(self, rows: int) -> str:
        return number(rows, self.language, 15)

    def items(self, names: Sequence[str]) -> str:
        return listed(names, self.language)

    def _column(self, feature: str) -> Column | None:
        return next((each for each in self.contract.features if each.name == feature), None)

    def _answered(self, explained: Explained) -> list[str]:
        if explained.of is None:
            target = self.name(self.contract.target)
            return [self.say("value", target=target, score=self.score(explained.score))]
        return [
            self.say("chance", of=self.outcome(explained.of), score=self.score(explained.score)),
            self.say("answer", answer=self.outcome(explained.prediction)),
        ]

    def _contributions(self, found: Contributions) -> list[str]:
        said = self._answered(found.explained)
        base = _unlinked(found.base_value, found.link)
        if found.method == "shap" and base is not None:
            said.append(self.say("start", base=self.score(base)))
        whole = sum(abs(part) for part in found.contributions.values())
        ranked = sorted(found.contributions.items(), key=lambda each: -abs(each[1]))
        named = 0
        sides = ("against", "for") if found.explained.of is not None else ("lowered", "raised")
        for sign, phrase in zip((-1, 1), sides, strict=True):
            chosen = [f for f, v in ranked if v * sign > 0 and abs(v) >= _COUNTS * whole][:_NAMED]
            named += len(chosen)
            if chosen:
                items = self.items([self._item(found, feature) for feature in chosen])
                said.append(self.say(phrase, items=items))
        if not named:
            said.append(self.say("nothing"))
        if found.method == "shap":
            return [*said, self.say("not causal")]
        r2 = next((f.value for f in found.fidelity if f.measure == "local R2"), None)
        if r2 is None:
            return [*said, self.say("not causal")]
        return [*said, self.say("lime", fidelity=share(max(0.0, r2), self.language))]

    def _item(self, found: Contributions, feature: str) -> str:
        if feature not in found.explained.row:
            return found.conditions.get(feature, self.name(feature))
        value = self.value(feature, found.explained.row[feature])
        return self.say("item", name=self.name(feature), value=value)

    def _anchor(self, found: Anchor) -> list[str]:
        parts = {
            "answer": self.outcome(found.explained.prediction),
            "precision": share(found.precision.value, self.language),
            "low": share(found.precision.low, self.language),
            "high": share(found.precision.high, self.language),
        }
        if not found.rule:
            return [self.say("anchor without rule", **parts), self.say("anchor not")]
        coverage = share(found.coverage.value, self.language)
        return [
            *self._answered(found.explained)[:1],
            self.say("anchor", rule=self._rule(found.rule), coverage=coverage, **parts),
            self.say("anchor not"),
        ]

    def _rule(self, rule: Sequence[Condition]) -> str:
        return PHRASES[self.language]["and"].join(self._condition(each) for each in rule)

    def _condition(self, asked: Condition) -> str:
        name = self.name(asked.feature)
        if asked.low is not None or asked.high is not None:
            text = self._range(asked, name)
        elif asked.categories or asked.category is not None:
            values = [
                self.value(asked.feature, each) for each in asked.categories or (asked.category,)
            ]
            text = self.say("is", name=name, value=listed(values, self.language, alternatives=True))
        else:
            return self.say("missing" if asked.missing else "known", name=name)
        return self.say("or missing", condition=text) if asked.missing else text

    def _range(self, asked: Condition, name: str) -> str:
        low = "" if asked.low is None else self.value(asked.feature, asked.low)
        high = "" if asked.high is None else self.value(asked.feature, asked.high)
        phrase = "above" if not high else "between" if low else "at most"
        return self.say(phrase, name=name, low=low, high=high)

    def _counterfactuals(self, found: Counterfactuals) -> list[str]:
        said = self._answered(found.explained)
        for place, each in enumerate(found.found[:_NAMED]):
            changes = self.items(
                [
                    self.say(
                        "change",
                        name=self.name(feature),
                        before=self.value(feature, before),
                        after=self.value(feature, after),
                    )
                    for feature, (before, after) in each.changes.items()
                ]
            )
            said.append(
                self.say(
                    "or had" if place else "had",
                    changes=changes,
                    answer=self.outcome(each.prediction),
                    chance=self._chance(found.explained, each),
                )
            )
        if not found.found:
            said.append(self.say("none found"))
        if found.immutable:
            names = self.items([self.name(feature) for feature in found.immutable])
            said.append(self.say("immutable", names=names))
        return [*said, self.say("counterfactual not")]

    def _chance(self, explained: Explained, other: Counterfactual) -> str:
        if explained.of is None:
            return ""
        of = str(other.prediction) if self.contract.task == "multiclass" else explained.of
        return self.say("chance then", of=self.outcome(of), score=self.score(other.score))

    def _effect(self, found: Effect) -> list[str]:
        if found.of is None:
            what = self.say("mean value", target=self.name(self.contract.target))
        else:
            what = self.say("mean class", of=self.outcome(found.of))
        name = self.name(found.feature)
        low, high = (found.values.index(f(found.values)) for f in (min, max))
        if found.values[high] - found.values[low] <= _FLAT:
            return [self.say("flat", what=what, name=name), self.say("effect not")]
        ends = {
            "what": what,
            "name": name,
            "at_low": self.value(found.feature, found.grid[low]),
            "at_high": self.value(found.feature, found.grid[high]),
        }
        if found.method == "ale":
            said = [
                self.say(
                    "ale", low=self._height(found, low), high=self._height(found, high), **ends
                )
            ]
        else:
            heights = {"low": self._height(found, low), "high": self._height(found, high)}
            said = [self.say("ends", rows=self.count(found.rows), **heights, **ends)]
        if found.method == "ice" and found.low:
            band = {"low": self.score(found.low[high]), "high": self.score(found.high[high])}
            said.append(self.say("spread", name=name, at=ends["at_high"], **band))
        made_up = [f.value for f in found.fidelity if f.measure == "outside what was seen"]
        if made_up and made_up[0] >= WORTH_SAYING:
            said.append(self.say("outside", share=share(made_up[0], self.language)))
        return [*said, self.say("effect not")]

    def _height(self, found: Effect, place: int) -> str:
        value = found.values[place]
        if found.method == "ale":
            size = abs(value)
            return points(size, self.language) if found.of else number(size, self.language, 3)
        back = _unlinked(value, found.link)
        return number(value, self.language, 3) if back is None else self.score(back)

    def _importance(self, found: Importance) -> list[str]:
        ranked = sorted(found.features.items(), key=lambda each: -each[1].value)
        sure = [(name, figure) for name, figure in ranked if figure.low > 0]
        unsure = [name for name, figure in ranked if figure.low <= 0]
        said = []
        items = self.items([self._group(name) for name, _ in sure[:_NAMED]])
        if sure and found.method == "shap_summary":
            said.append(self.say("moves", items=items))
        elif sure:
            name, figure = sure[0]
            low, value, high = (
                number(v, self.language, 3) for v in (figure.low, figure.value, figure.high)
            )
            metric = found.unit.removeprefix("rise of ").replace("_", " ")
            rows = self.count(found.rows)
            said.append(self.say("most", items=items))
            said.append(
                self.say(
                    "rise", name=self._group(name), rows=rows, metric=metric, value=value, low=low,
                    high=high,
                )
            )  # fmt: skip
        if unsure and found.method == "permutation":
            items = self.items([self._group(name) for name in unsure])
            said.append(self.say("no reliance", items=items))
        return [*said, self.say("importance not")]

    def _group(self, name: str) -> str:
        return " + ".join(self.name(part) for part in name.split(" + "))

    def _surrogate(self, found: Surrogate) -> list[str]:
        r2 = found.fidelity[0].value if found.fidelity else math.nan
        said = [self.say("surrogate", fidelity=share(max(0.0, r2), self.language))]
        for rule, value, rows in found.rules:
            parts = {"value": self._mean(found.of, value), "rows": self.count(rows)}
            said.append(
                self.say("rule", rule=self._rule(rule), **parts)
                if rule
                else self.say("always", **parts)
            )
        return [*said, self.say("surrogate not")]

    def _mean(self, of: str | None, value: float) -> str:
        if of is None:
            return self.score(value)
        what = self.say("mean class", of=self.outcome(of))
        return self.say("score is", what=what, value=share(value, self.language))


def _unlinked(value: float, link: str) -> float | None:
    """Return the score of a sum; None where one sum does not say it."""
    if link == "identity":
        return value
    if link == "logit":
        return 1 / (1 + math.exp(-value)) if value > -700 else 0.0
    return math.exp(value) if link == "log" else None
