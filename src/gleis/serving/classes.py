"""Class labels: as the contract writes them, as people send them, as answers show them."""

from __future__ import annotations

from typing import Any

Shown = str | int | float | bool


class ClassLabels:
    """Matches labels with a contract's classes, which are text.

    A label matches if it is the class's text, or means the same number or truth value: ``1``,
    ``1.0``, ``true``, ``"1"`` and ``"true"`` all mean the class ``1`` or ``true``.

    Parameters
    ----------
    classes : tuple of str

    Examples
    --------
    >>> labels = ClassLabels(("0", "1"))
    >>> labels.match(True), labels.match(0.0), labels.match("maybe")
    ('1', '0', None)
    >>> labels.shown
    (0, 1)
    """

    def __init__(self, classes: tuple[str, ...]) -> None:
        self._exact = frozenset(classes)
        alike: dict[str, list[str]] = {}
        for text in classes:
            alike.setdefault(_meaning(text), []).append(text)
        self._alike = {meaning: one[0] for meaning, one in alike.items() if len(one) == 1}
        self.shown: tuple[Shown, ...] = _typed(classes)
        """The classes as answers show them: whole numbers, truth values or text."""

    def match(self, value: Any) -> str | None:
        """Return the class that ``value`` names, or None."""
        if not isinstance(value, str | int | float):
            return None
        if (text := str(value)) in self._exact:
            return text
        return self._alike.get(_meaning(text))


def _meaning(text: str) -> str:
    """Return equal text for labels that mean the same number or truth value."""
    truth = {"true": "1.0", "false": "0.0"}.get(text.lower())
    if truth is not None:
        return truth
    try:
        return repr(float(text))
    except ValueError:
        return text


def _typed(classes: tuple[str, ...]) -> tuple[Shown, ...]:
    if all(text.lower() in ("true", "false") for text in classes):
        return tuple(text.lower() == "true" for text in classes)
    if all(text.removeprefix("-").isdecimal() and str(int(text)) == text for text in classes):
        return tuple(int(text) for text in classes)
    return classes
