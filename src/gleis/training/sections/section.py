"""A section of the evidence: what it is called, what it depends on and how it is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gleis.config.settings import Settings
from gleis.contracts.version import VERSION
from gleis.training.cache import key_of
from gleis.training.material import Material
from gleis.training.results import Fitted, Ruled


@dataclass(frozen=True)
class Section:
    """One field of ``Evidence``."""

    name: str
    """Of the field, and of the step."""
    kind: Any
    """Its type, for the cache."""
    find: Callable[[Material], Any]
    """Computes it."""
    tables: tuple[str, ...]
    """Tables of ``gleis.toml`` it depends on, beside those the model depends on."""
    of_rules: bool = False
    """Whether it is found for a heuristic too."""

    def key(self, fitted: Fitted | Ruled, settings: Settings) -> str:
        """Name everything the section depends on."""
        return key_of(
            section=self.name,
            fitted=fitted.key,
            settings={name: getattr(settings, name) for name in self.tables},
            gleis=VERSION,
        )

    def find_in(self, gather: Callable[[], Material]) -> Any:
        """Gather the material and find it."""
        return self.find(gather())
