"""Labels of a request, checked against the task."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from gleis.contracts.contract import Contract
from gleis.contracts.errors import InvalidRowError, MalformedError, TooLargeError
from gleis.contracts.prediction import Label
from gleis.serving.carried import read_entity, read_moment
from gleis.serving.classes import ClassLabels
from gleis.serving.fields import place

_KEYS = frozenset({"prediction_id", "id", "label", "at"})
_SHAPE = 'Send {"prediction_id": ..., "label": ...} or {"id": ..., "label": ...}, one or a list.'


class LabelReader:
    """Turns label objects into labels the log keeps.

    Parameters
    ----------
    contract : Contract
        Its classes say which labels there are; a regression takes finite numbers.
    max_labels : int
        Labels in one request; more are refused.

    Examples
    --------
    >>> contract = Contract(task="binary", features=(), target="late", classes=("0", "1"))
    >>> LabelReader(contract, 10).read([{"prediction_id": "17-0-ab", "label": True}])[0].value
    '1'
    """

    def __init__(self, contract: Contract, max_labels: int) -> None:
        self._max_labels = max_labels
        self._classes = contract.classes
        self._matcher = None if contract.classes is None else ClassLabels(contract.classes)

    def read(self, items: list[Any]) -> list[Label]:
        """Check labels.

        Parameters
        ----------
        items : list of dict, (n_labels,)
            Each with ``label``, with ``prediction_id`` or ``id`` (the row's own id), and with
            ``at`` (ISO 8601, when the truth was known) if need be.

        Raises
        ------
        MalformedError
            There is no label.
        TooLargeError
            There are more than ``max_labels``.
        InvalidRowError
            A key is missing or unknown, or the label does not fit the task.
        """
        total = len(items)
        if not total:
            raise MalformedError("There is no label", remedy=_SHAPE)
        if total > self._max_labels:
            raise TooLargeError(
                "There are too many labels in one request",
                seen=total,
                remedy=f"Send at most {self._max_labels} at a time, or raise serve.max_rows.",
                field="labels",
            )
        return [self._one(item, place(position, total)) for position, item in enumerate(items)]

    def _one(self, item: Any, where: str) -> Label:
        if not isinstance(item, Mapping):
            raise InvalidRowError(f"{where}a label is an object", seen=item, remedy=_SHAPE)
        if extra := [key for key in item if key not in _KEYS]:
            raise InvalidRowError(
                f"{where}{extra[0]} is not a key of a label",
                seen=item[extra[0]],
                remedy=_SHAPE,
                field=extra[0],
            )
        prediction_id, entity, at = item.get("prediction_id"), item.get("id"), item.get("at")
        if (prediction_id is None) == (entity is None):
            both = prediction_id is not None
            raise InvalidRowError(
                f"{where}a label names {'two things' if both else 'nothing'}",
                seen=dict(item),
                remedy="Give prediction_id or id, one of them.",
                field="prediction_id",
            )
        if prediction_id is not None and not isinstance(prediction_id, str):
            raise InvalidRowError(
                f"{where}prediction_id is a text",
                seen=prediction_id,
                remedy="Send it as the answer gave it.",
                field="prediction_id",
            )
        return Label(
            value=self._value(item.get("label"), where),
            prediction_id=prediction_id,
            entity=None if entity is None else read_entity(entity, "id", where),
            at=None if at is None else read_moment(at, "at", where),
        )

    def _value(self, value: Any, where: str) -> str | float:
        if self._classes is None or self._matcher is None:
            if isinstance(value, int | float) and not isinstance(value, bool) and _finite(value):
                return float(value)
            expected = "a finite number"
        else:
            text = self._matcher.match(value)
            if text is not None:
                return text
            expected = f"one of {', '.join(self._classes)}"
        raise InvalidRowError(
            f"{where}label must be {expected}",
            seen=value,
            remedy=f"Send {expected}.",
            field="label",
        )


def _finite(value: float) -> bool:
    """Say whether ``value`` is a number a float can hold; whole numbers may be too large."""
    try:
        return isfinite(value)
    except OverflowError:
        return False
