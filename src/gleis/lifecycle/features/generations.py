"""Which rows of feature views the models need that answer, may answer again, or are tried."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from gleis.contracts.contract import Contract
from gleis.contracts.deployment import Version
from gleis.contracts.errors import GleisError, ProjectError
from gleis.contracts.features import ViewUse
from gleis.data.features.view import FeatureView
from gleis.data.folder_imports import FolderImports
from gleis.lifecycle.workbench import Workbench
from gleis.packaging.sealed import read_sealed


class Generation(NamedTuple):
    """A view as some models were trained with it."""

    use: ViewUse
    versions: tuple[int, ...]
    """Numbers of the models, ascending."""


class Generations:
    """The views that a project's live models look up, as they were when each was trained.

    A view that is edited does not change a model that was trained before. So each package holds
    the text its views reached, signed with the rest of it, and here it is made callable again.

    Parameters
    ----------
    bench : Workbench
    """

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._served: dict[str, tuple[ViewUse, ...]] = {}
        self._views: dict[str, FeatureView] = {}
        self.complete = True
        """False if a package could not be read last: nobody knows what it needs."""

    def needed(self, also: Sequence[Version] = ()) -> dict[str, Generation]:
        """Return what is needed of an online store, by the name of the table.

        Parameters
        ----------
        also : sequence of Version
            Such as one that is about to be promoted.
        """
        found: dict[str, Generation] = {}
        self.complete = True
        for version in self._versions(also):
            for use in self._uses(version):
                numbers = found[use.stored].versions if use.stored in found else ()
                found[use.stored] = Generation(use, (*numbers, version.number))
        return found

    def view(self, use: ViewUse) -> FeatureView:
        """Return a view as it was when a model was trained with it.

        Raises
        ------
        ProjectError
            The package holds no text of it, or the text does not run.
        """
        if use.stored not in self._views:
            self._views[use.stored] = view_of_text(use)
        return self._views[use.stored]

    def _versions(self, also: Sequence[Version]) -> Iterator[Version]:
        registry = self._bench.registry
        release = registry.releases.open()
        tried = [release.challenger] if release is not None else []
        named = {one.number: one for one in (*registry.aliases().values(), *tried, *also)}
        for number in sorted(named):
            yield named[number]

    def _uses(self, version: Version) -> tuple[ViewUse, ...]:
        known = self._served.get(version.digest)
        if known is not None:
            return known
        bench = self._bench
        try:
            sealed = read_sealed(bench.registry.path(version), version.digest, bench.trust)
        except GleisError as error:
            # It cannot be served either; the others go on being looked after.
            bench.tell("features", f"version {version.number} cannot be read: {error}")
            self.complete = False
            return ()
        contract = msgspec.json.decode(sealed.files["contract.json"], type=Contract)
        found = contract.served.views if contract.served is not None else ()
        self._served[version.digest] = found
        return found


def view_of_text(use: ViewUse) -> FeatureView:
    """Make a view of the text that a package holds of it.

    Its text is the project's own, which the project signed: it is run as the project is, by the
    loop and by batch scoring, and never by a service.

    Raises
    ------
    ProjectError
        There is no text, or it does not run.
    """
    if not use.text:
        raise ProjectError(
            f"{use.view} is another than the model was trained with",
            remedy=f"Train it anew: gleis run. Or bring {', '.join(use.features)} along.",
            field=use.view,
        )
    with tempfile.TemporaryDirectory(prefix="gleis-view-") as name:
        folder = Path(name)
        for path, text in use.text:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        imports = FolderImports(folder)
        try:
            with imports.entered():
                found = getattr(importlib.import_module(use.module), use.view)
        except Exception as error:
            raise ProjectError(
                f"{use.view}, as a model was trained with it, does not run any more: "
                f"{type(error).__name__}: {error}",
                remedy="Install what it imports, or train anew: gleis run.",
                field=use.view,
            ) from error
    if not isinstance(found, FeatureView):
        raise ProjectError(
            f"{use.view}, as a model was trained with it, is no feature view",
            seen=found,
            remedy="Train it anew: gleis run.",
            field=use.view,
        )
    return found
