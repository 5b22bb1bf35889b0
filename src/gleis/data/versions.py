"""The record of dataset versions, readable without loading a table library."""

from __future__ import annotations

from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING

import msgspec

from gleis.config.datasets import dataset_spec
from gleis.contracts.clock import utc
from gleis.contracts.dataset import DatasetVersion, Removal
from gleis.contracts.errors import RegistryError
from gleis.data.marks import MOVED, REMOVED, Marks, moved
from gleis.data.reviews import ReviewedLabels, considered

if TYPE_CHECKING:
    from gleis.config.settings import Settings
    from gleis.store.home import Home

KIND = "dataset"
"""Kind of the facts that record a version; their key is ``name@v3``."""
VOUCHED = "dataset-vouched"
"""Kind of the facts that say which other code was seen to load the rows of a version."""


class DatasetVersions:
    """Which versions of a dataset there are.

    Parameters
    ----------
    home : Home
        The state folder.
    settings : Settings
        What the project says of its datasets.
    name : str, optional
        Which of them; by default the project's own.
    """

    def __init__(self, home: Home, settings: Settings, name: str | None = None) -> None:
        self.home = home
        self._settings = settings
        self.spec = dataset_spec(settings, name)
        self.name = self.spec.name
        self._known: tuple[int, list[DatasetVersion], dict[int, Removal]] | None = None

    @property
    def marks(self) -> Marks:
        """Names, removals and moves."""
        return Marks(self.home.facts, self.name)

    def recorded(self) -> list[DatasetVersion]:
        """Return all versions there ever were, oldest first, also those that are removed."""
        return list(self._look()[0])

    def removals(self) -> dict[int, Removal]:
        """Return which versions are removed, and by whom."""
        return dict(self._look()[1])

    def versions(self) -> list[DatasetVersion]:
        """Return the versions that can be read, oldest first."""
        recorded, removed = self._look()
        return [version for version in recorded if version.version not in removed]

    def latest(self) -> DatasetVersion | None:
        """Return the newest version that is not removed; None before the first."""
        versions = self.versions()
        return versions[-1] if versions else None

    def get(self, ref: int | str) -> DatasetVersion:
        """Return a version.

        Parameters
        ----------
        ref : int or str
            Its number (``3``, ``"v3"``), ``"latest"``, a name that it was given, or a moment in
            ISO 8601 (without a zone UTC): the newest version recorded at or before it. The
            dataset may stand before it: ``"name@v3"``.

        Raises
        ------
        RegistryError
            If there is no such version, or it is removed.
        """
        text = str(ref).removeprefix(f"{self.name}@")
        found = self._find(text)
        if found is None:
            raise self._unknown(ref, text)
        self.check_there(found)
        return found

    def check_there(self, version: DatasetVersion) -> None:
        """Refuse a version that was removed.

        Raises
        ------
        RegistryError
            Saying when, by whom and why.
        """
        removal = self._look()[1].get(version.version)
        if removal is None:
            return
        why = f" ({removal.why})" if removal.why else ""
        left = [f"v{there.version}" for there in self.versions()]
        raise RegistryError(
            f"{version.label} was removed on {removal.at:%Y-%m-%d %H:%M} by {removal.by}{why}",
            remedy=f"There are {_several(left)}." if left else "Load anew: gleis data add.",
        )

    def vouched(self, version: DatasetVersion, code: str) -> bool:
        """Say whether ``code`` made the rows of ``version``, or was seen to make the same ones."""
        key = f"{version.label}:{code}"
        return version.provenance.code == code or self.home.facts.latest(VOUCHED, key) is not None

    def waits(self, version: DatasetVersion, reviewed: ReviewedLabels) -> bool:
        """Say whether labels were reviewed that nobody has looked for among a version's rows."""
        if not reviewed.count:
            return False
        noted = self.home.states.get(_considered_key(version))
        return reviewed.count > max(considered(version), int(noted or b"0"))

    def note_considered(self, version: DatasetVersion, reviewed: ReviewedLabels) -> None:
        """Remember that no row of a version takes a label reviewed so far."""
        self.home.states.put(_considered_key(version), str(reviewed.count).encode())

    def _look(self) -> tuple[list[DatasetVersion], dict[int, Removal]]:
        """Read the ledger, unless it says nothing new of any dataset."""
        last = self.home.facts.last(KIND, REMOVED, MOVED)
        if self._known is None or self._known[0] != last:
            marks = self.marks
            moves = marks.moves()
            versions = [moved(version, moves) for version in self._read(None)]
            self._known = last, versions, marks.removals()
        return self._known[1:]

    def _read(self, until: datetime | None) -> list[DatasetVersion]:
        bodies = self.home.facts.all(KIND, until=until)
        versions = [msgspec.json.decode(body, type=DatasetVersion) for body in bodies]
        return [version for version in versions if version.name == self.name]

    def _find(self, text: str) -> DatasetVersion | None:
        if text == "latest":
            return self.latest()
        number = text.removeprefix("v")
        if not number.isdigit():
            number = str(self.marks.names().get(text) or self._at(text) or "")
        return next((v for v in self.recorded() if str(v.version) == number), None)

    def _at(self, text: str) -> int | None:
        """Return the number of the newest version recorded at or before a moment."""
        moment = _moment(text)
        if moment is None:
            return None
        return max((version.version for version in self._read(moment)), default=None)

    def _unknown(self, ref: int | str, text: str) -> RegistryError:
        names = list(self.marks.names())
        near = get_close_matches(text, names, n=1)
        known = _several([*(f"v{v.version}" for v in self.versions()), *names])
        first = f"Did you mean {near[0]}? " if near else ""
        moment, recorded = _moment(text), self.recorded()
        if moment is not None and recorded:
            begin = recorded[0]
            return RegistryError(
                f"Nothing was recorded of the dataset {self.name} by {moment:%Y-%m-%d %H:%M} UTC",
                seen=ref,
                remedy=f"{begin.label} is the first, of {begin.provenance.loaded_at:%Y-%m-%d %H:%M}"
                " UTC. A date without a time is midnight, when the day begins.",
            )
        if text in self._settings.datasets:
            first = f"Did you mean {text}@latest, the table {text}? "
        return RegistryError(
            f"There is no such version of the dataset {self.name}",
            seen=ref,
            remedy=f"{first}There are: {known}. See them: gleis data log.",
        )


def _moment(text: str) -> datetime | None:
    try:
        return utc(datetime.fromisoformat(text))
    except ValueError:
        return None


def _several(names: list[str]) -> str:
    """Say which versions there are: ``v1 to v12, v14, q1-audit``."""
    runs: list[list[str]] = []
    for name in names:
        if runs and name == _next(runs[-1][-1]):
            runs[-1].append(name)
        else:
            runs.append([name])
    told = [f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(run) for run in runs]
    return ", ".join(told) or "none yet"


def _next(name: str) -> str | None:
    number = name.removeprefix("v")
    return f"v{int(number) + 1}" if number.isdigit() else None


def _considered_key(version: DatasetVersion) -> str:
    return f"reviews-considered/{version.label}"
