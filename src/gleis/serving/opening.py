"""From a version in the registry to a service that may answer."""

from __future__ import annotations

from collections.abc import Callable

from gleis.contracts.clock import Clock
from gleis.contracts.deployment import Version
from gleis.contracts.errors import PackageError
from gleis.contracts.outliers import OutlierAnswer
from gleis.packaging.keys import Trust
from gleis.packaging.load import load_package
from gleis.packaging.verify import self_test
from gleis.registry.versions import Registry
from gleis.serving.lookup import Find
from gleis.serving.service import Service


class Opening:
    """Loads packages of a registry, and lets them pass their own tests.

    Parameters
    ----------
    registry : Registry
        Says where the packages are.
    clock : Clock
    trust : callable
        Returns whose packages may be loaded; asked anew for each, so that a key that was added
        counts at once.
    max_rows : int
        Rows in one request.
    outliers : {"flag", "fallback", "review"}
        What becomes of outliers; see ``Service``.
    lookups : callable, optional
        Returns what completes the rows of a package's requests.
    """

    def __init__(
        self,
        registry: Registry,
        clock: Clock,
        trust: Callable[[], Trust],
        *,
        max_rows: int = 10_000,
        outliers: OutlierAnswer = "flag",
        lookups: Find = lambda contract: None,
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._trust = trust
        self._max_rows = max_rows
        self._outliers: OutlierAnswer = outliers
        self._lookups = lookups

    def open(self, version: Version) -> Service:
        """Load a version.

        Raises
        ------
        PackageError
            It must not be loaded, or fails its own tests.
        """
        package = load_package(self._registry.path(version), version.digest, self._trust())
        failed = [check.text for check in self_test(package).checks if not check.passed]
        if failed:
            raise PackageError(
                f"Version {version.number} fails its own tests: {' '.join(failed)}",
                remedy="Run gleis verify on it; build it again with gleis run.",
            )
        return Service(
            package,
            version,
            self._clock,
            name=self._registry.name,
            max_rows=self._max_rows,
            outliers=self._outliers,
            lookups=self._lookups(package.contract),
        )
