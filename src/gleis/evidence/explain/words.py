"""Explanations in plain words, for the person they are about."""

from __future__ import annotations

from gleis.config.settings import ExplainSettings
from gleis.contracts.contract import Contract
from gleis.contracts.errors import InvalidRowError
from gleis.contracts.explanation import (
    Anchor,
    Contributions,
    Counterfactuals,
    Effect,
    Explanation,
    Importance,
)
from gleis.contracts.wording import Language, Wording
from gleis.evidence.explain.local_words import (
    anchor_in_words,
    contributions_in_words,
    counterfactuals_in_words,
)
from gleis.evidence.explain.model_words import (
    effect_in_words,
    importance_in_words,
    surrogate_in_words,
)
from gleis.evidence.explain.phrases import PHRASES
from gleis.evidence.explain.speaker import Speaker


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
    >>> from gleis.contracts.contract import Column
    >>> from gleis.contracts.explanation import Counterfactual, Explained
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
    speaker = Speaker(contract, language, names or Wording())
    for check in explanation.fidelity:
        if not check.holds:
            return speaker.failed(check)
    return _told(speaker, explanation)


def _told(speaker: Speaker, explanation: Explanation) -> str:
    if isinstance(explanation, Contributions):
        return " ".join(contributions_in_words(speaker, explanation))
    if isinstance(explanation, Anchor):
        return " ".join(anchor_in_words(speaker, explanation))
    if isinstance(explanation, Counterfactuals):
        return " ".join(counterfactuals_in_words(speaker, explanation))
    if isinstance(explanation, Effect):
        return " ".join(effect_in_words(speaker, explanation))
    if isinstance(explanation, Importance):
        return " ".join(importance_in_words(speaker, explanation))
    return "\n".join(surrogate_in_words(speaker, explanation))
