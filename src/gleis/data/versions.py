"""The record of dataset versions, readable without loading a table library."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from gleis.config.datasets import dataset_spec
from gleis.contracts.dataset import DatasetVersion
from gleis.contracts.errors import RegistryError
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

    def versions(self) -> list[DatasetVersion]:
        """Return all versions, oldest first."""
        bodies = self.home.facts.all(KIND)
        versions = [msgspec.json.decode(body, type=DatasetVersion) for body in bodies]
        return [version for version in versions if version.name == self.name]

    def latest(self) -> DatasetVersion | None:
        """Return the newest version; None before the first."""
        versions = self.versions()
        return versions[-1] if versions else None

    def get(self, ref: int | str) -> DatasetVersion:
        """Return a version by its number: ``3``, ``"v3"``, ``"name@v3"`` or ``"latest"``.

        Raises
        ------
        RegistryError
            If there is no such version.
        """
        versions = self.versions()
        text = str(ref).removeprefix(f"{self.name}@")
        wanted = str(len(versions)) if text == "latest" else text.removeprefix("v")
        for version in versions:
            if str(version.version) == wanted:
                return version
        known = f"v1 to v{len(versions)}" if versions else "none yet"
        raise RegistryError(
            f"There is no such version of the dataset {self.name}",
            seen=ref,
            remedy=f"There are: {known}. See them: gleis data log.",
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


def _considered_key(version: DatasetVersion) -> str:
    return f"reviews-considered/{version.label}"
