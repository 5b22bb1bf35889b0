"""A contract, a language and names: what sentences are made with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gleis.contracts.contract import Column, Contract
from gleis.contracts.explanation import Condition, Explained, Fidelity, Value
from gleis.contracts.wording import Language, Wording
from gleis.evidence.explain.phrases import MEASURES, PHRASES
from gleis.evidence.explain.written import listed, number, share, written


@dataclass(frozen=True)
class Speaker:
    """Says things about a model in one language."""

    contract: Contract
    language: Language
    wording: Wording

    def failed(self, check: Fidelity) -> str:
        """Return that an explanation failed its own check."""
        called, asked = MEASURES[self.language], check.asked
        for measure, name in called.items():
            asked = asked.replace(measure, name)
        measure = called.get(check.measure, check.measure)
        value = number(check.value, self.language, 3)
        return self.say("fails", measure=measure, value=value, asked=asked)

    def say(self, phrase: str, **parts: str) -> str:
        """Fill a phrase in; a sentence begins with a capital letter."""
        text = PHRASES[self.language][phrase].format(**parts)
        return text[:1].upper() + text[1:] if text[-1:] in ".:" else text

    def name(self, feature: str) -> str:
        """Return what a feature is called."""
        return self.wording.names.get(feature, feature)

    def value(self, feature: str, value: Value) -> str:
        """Write a value of a feature."""
        return written(value, self._column(feature), self.language, self.wording)

    def outcome(self, label: Value) -> str:
        """Return what a class is, or the value of a regression."""
        if self.contract.classes is None and isinstance(label, int | float):
            return number(label, self.language, 5)
        given = self.wording.outcomes.get(str(label))
        target = self.name(self.contract.target)
        return given or self.say("class", target=target, value=str(label))

    def score(self, score: float, *, classes: bool | None = None) -> str:
        """Write a score: a share, or a value of a regression."""
        probability = self.contract.classes is not None if classes is None else classes
        return share(score, self.language) if probability else number(score, self.language, 5)

    def count(self, rows: int) -> str:
        """Write a number of rows."""
        return number(rows, self.language, 15)

    def items(self, names: Sequence[str]) -> str:
        """Join names as a sentence does."""
        return listed(names, self.language)

    def _column(self, feature: str) -> Column | None:
        return next((each for each in self.contract.features if each.name == feature), None)

    def answered(self, explained: Explained) -> list[str]:
        """Return the sentences that say what the answer was."""
        if explained.of is None:
            target = self.name(self.contract.target)
            return [self.say("value", target=target, score=self.score(explained.score))]
        return [
            self.say("chance", of=self.outcome(explained.of), score=self.score(explained.score)),
            self.say("answer", answer=self.outcome(explained.prediction)),
        ]

    def rule(self, rule: Sequence[Condition]) -> str:
        """Return conditions, joined."""
        return PHRASES[self.language]["and"].join(self.condition(each) for each in rule)

    def condition(self, asked: Condition) -> str:
        """Return one condition, as a part of a sentence."""
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


def unlinked(value: float, link: str) -> float | None:
    """Return the score of a sum; None where one sum does not say it."""
    if link == "identity":
        return value
    if link == "logit":
        return 1 / (1 + math.exp(-value)) if value > -700 else 0.0
    return math.exp(value) if link == "log" else None
