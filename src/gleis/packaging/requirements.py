"""What must be installed to run a package: names and versions, nothing about this machine."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable

from gleis.contracts.errors import PackageError
from gleis.packaging.skops_bytes import modules

_ALWAYS = ("gleis", "mlflow", "msgspec", "numpy", "polars")
_ESTIMATOR = ("scipy", "sklearn", "skops")


def pins(imports: Iterable[str] = ()) -> list[str]:
    """Return ``name==version`` of what provides these import packages.

    What every package needs is added: gleis, mlflow, msgspec, numpy and polars.

    Parameters
    ----------
    imports : iterable of str
        Import names, such as ``sklearn`` or ``lightgbm.sklearn``; those of the standard library
        do not belong here.

    Returns
    -------
    list of str
        Sorted, without duplicates, index addresses or paths.

    Raises
    ------
    PackageError
        If one is not an installed distribution.

    Examples
    --------
    >>> [pin.split("==")[0] for pin in pins(["sklearn"])]
    ['gleis', 'mlflow', 'msgspec', 'numpy', 'polars', 'scikit-learn']
    """
    names = {name.partition(".")[0] for name in (*_ALWAYS, *imports)}
    return sorted({_pin(name) for name in names})


def estimator_pins(content: bytes) -> list[str]:
    """Return the pins of a skops file: scikit-learn's own and every library in it."""
    return pins((*_ESTIMATOR, *modules(content)))


def _pin(module: str) -> str:
    name = "scikit-learn" if module == "sklearn" else module
    try:
        return f"{_normal(name)}=={importlib.metadata.version(name)}"
    except importlib.metadata.PackageNotFoundError:
        pass
    # Slow (it reads every distribution), so only for a name that differs from the import's.
    found = importlib.metadata.packages_distributions().get(module)
    if not found:
        raise PackageError(
            "The model needs a module that no installed distribution provides",
            seen=module,
            remedy="Install it from a package, or do its work in load().",
        )
    return f"{_normal(found[0])}=={importlib.metadata.version(found[0])}"


def _normal(name: str) -> str:
    return name.lower().replace("_", "-")
