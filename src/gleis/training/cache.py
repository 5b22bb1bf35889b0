"""Steps are not repeated: a result is kept under the hash of everything it depends on."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from gleis.contracts.ports import StateStore

Result = TypeVar("Result")


def key_of(**inputs: Any) -> str:
    """Return the SHA-256 of ``inputs`` in canonical JSON.

    Examples
    --------
    >>> key_of(a=1, b=2) == key_of(b=2, a=1) != key_of(a=1, b=3)
    True
    """
    return hashlib.sha256(msgspec.json.encode(inputs, order="deterministic")).hexdigest()


class StepCache:
    """Results of steps by key.

    A step's result is a small struct that names its artifacts by content; the bytes themselves
    are in the artifact store. A result whose artifacts are gone counts as absent.

    Parameters
    ----------
    states : StateStore
        Where results are kept.
    has : callable (digest) -> bool
        Whether an artifact is there.
    """

    def __init__(self, states: StateStore, has: Callable[[str], bool]) -> None:
        self._states = states
        self._has = has
        self.durations: dict[str, float] = {}
        """Seconds by step of this process; 0.0 if taken from the cache."""
        self.costs: dict[str, float] = {}
        """CPU seconds by step, as they were when its result was made, here or in an earlier
        process."""

    def find(self, step: str, key: str, kind: type[Result]) -> Result | None:
        """Return the kept result; None, also if an earlier build kept it in another shape."""
        kept = self._states.get(f"step/{step}/{key}")
        if kept is None:
            return None
        try:
            result = msgspec.json.decode(kept, type=kind)
        except msgspec.ValidationError:
            return None
        artifacts: tuple[str, ...] = getattr(result, "artifacts", ())
        return result if all(self._has(digest) for digest in artifacts) else None

    def keep(self, step: str, key: str, result: object) -> None:
        """Keep a result."""
        self._states.put(f"step/{step}/{key}", msgspec.json.encode(result))

    def step(
        self, step: str, key: str, kind: type[Result], compute: Callable[[], Result]
    ) -> Result:
        """Return the kept result of ``step`` under ``key``, or compute and keep it."""
        found = self.find(step, key, kind)
        if found is not None:
            self.durations[step] = 0.0
            self.costs[step] = self._cost(step, key)
            return found
        started, worked = time.perf_counter(), time.process_time()
        result = compute()
        self.durations[step] = time.perf_counter() - started
        self.costs[step] = time.process_time() - worked
        self.keep(step, key, result)
        self._states.put(f"cost/{step}/{key}", msgspec.json.encode(self.costs[step]))
        return result

    def _cost(self, step: str, key: str) -> float:
        kept = self._states.get(f"cost/{step}/{key}")
        return msgspec.json.decode(kept, type=float) if kept is not None else 0.0
