"""Everything of one project, opened when first needed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from pathlib import Path

import polars as pl

from gleis.config.durations import parse_duration
from gleis.config.settings import Settings
from gleis.contracts.clock import Clock, SystemClock
from gleis.contracts.dataset import DatasetVersion
from gleis.data.dataset import Datasets
from gleis.data.module import ProjectModule
from gleis.lifecycle.person import person
from gleis.packaging.keyring import KeyRing
from gleis.packaging.keys import Signer, Trust
from gleis.registry.deployments import Deployments
from gleis.registry.versions import Registry
from gleis.store.home import Home
from gleis.store.tracking import Tracking
from gleis.training.cache import StepCache
from gleis.training.trainer import Trainer

Tell = Callable[[str, str], None]
"""Told (step, detail) as a journey goes on."""


def silent(step: str, detail: str) -> None:
    """Tell nobody."""


class Workbench:
    """A project's folder, settings, stores, trainer and registry around one clock.

    Parameters
    ----------
    folder : Path
        The project folder.
    settings : Settings
    home : Home
        Where this project's state is.
    clock : Clock, optional
    kept : Home, optional
        Where artifacts and results of steps are kept, by default ``home``; a backtest keeps its
        facts apart but shares these.
    tracked : bool, optional
        Whether runs go to MLflow; a backtest's inner runs do not.
    insecure_dev : bool, optional
        Load packages whoever signed them: for development only.
    asked_only : bool, optional
        Gather only the evidence that gates ask for: a backtest's inner runs decide by nothing else.
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        home: Home,
        clock: Clock | None = None,
        *,
        kept: Home | None = None,
        tracked: bool = True,
        tell: Tell = silent,
        insecure_dev: bool = False,
        asked_only: bool = False,
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.home = home
        self.clock = clock or SystemClock()
        self.kept = kept or home
        self.tracked = tracked
        self.tell = tell
        self.insecure_dev = insecure_dev
        self.asked_only = asked_only

    def under(self, settings: Settings) -> Workbench:
        """Return a bench over the same stores and clock with other settings."""
        made = Workbench(
            self.folder,
            settings,
            self.home,
            self.clock,
            kept=self.kept,
            tracked=self.tracked,
            tell=self.tell,
            insecure_dev=self.insecure_dev,
            asked_only=self.asked_only,
        )
        made.cache = self.cache  # it counts what steps cost
        return made

    @cached_property
    def tracking(self) -> Tracking | None:
        """MLflow, if this bench is tracked."""
        if not self.tracked:
            return None
        uri = self.settings.tracking or self.home.tracking_uri
        return Tracking(uri, self.home.tracking_artifacts, self.settings.project.name)

    @cached_property
    def registry(self) -> Registry:
        """Versions."""
        return Registry(self.home, self.settings.project.name, self.clock, self.tracking)

    @cached_property
    def deployments(self) -> Deployments:
        """What is live, and was."""
        return self.registry.deployments

    @cached_property
    def keyring(self) -> KeyRing:
        """The project's keys; a backtest's inner runs sign with them too."""
        return KeyRing(self.settings.signing, self.folder, self.kept.keys)

    @cached_property
    def signer(self) -> Signer:
        """The key that signs packages."""
        return self.open_key()

    def open_key(self) -> Signer:
        """Open the key that signs, before the work and not after it; the first run makes one.

        Raises
        ------
        ConfigError
            It cannot be read, or what it signs would not be trusted.
        """
        signer, new = self.keyring.open()
        if new:
            self.tell("keys", f"made {self.keyring.path}, fingerprint {signer.public.fingerprint}")
        return signer

    @property
    def trust(self) -> Trust:
        """Whose packages are loaded, as of now."""
        return self.keyring.trust(unsigned=self.insecure_dev)

    @cached_property
    def datasets(self) -> Datasets:
        """Dataset versions."""
        return Datasets(self.home, self.settings, self.clock, folder=self.folder)

    def dataset(self, name: str | None = None) -> Datasets:
        """Return the versions of one dataset, by default of the project's own."""
        if name is None or name == self.settings.project.name:
            return self.datasets
        return Datasets(self.home, self.settings, self.clock, name, self.folder)

    @cached_property
    def cache(self) -> StepCache:
        """Results of steps."""
        return StepCache(self.kept.states, self.kept.artifacts.has)

    @cached_property
    def trainer(self) -> Trainer:
        """The steps of a run."""
        return Trainer(self.folder, self.settings, self.kept.artifacts, self.cache, self.read)

    @property
    def module(self) -> ProjectModule:
        """The project's own module."""
        return self.trainer.module

    def read(self, dataset: DatasetVersion) -> pl.DataFrame:
        """Read a dataset version."""
        return self.datasets.read(dataset)

    def known_until(self, now: datetime | None = None) -> datetime:
        """Return the moment before which every row's label is known."""
        delay = parse_duration(self.settings.project.label_delay, "project.label_delay")
        return (now or self.clock.now()) - delay


def whoami() -> str:
    """Return ``user@host``."""
    return person()
