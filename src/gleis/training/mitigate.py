"""The mitigation that ``gleis.toml`` asks for, around the project's estimator.

The only place of this room that imports mitigations, when one is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.config.mitigating import find_mitigation
from gleis.config.settings import Settings
from gleis.contracts.contract import Contract
from gleis.contracts.errors import ConfigError
from gleis.contracts.mitigation import Mitigation
from gleis.data.columns import hidden_columns, missing_column
from gleis.training.seeds import derive_seed

if TYPE_CHECKING:
    from gleis.evidence.mitigation.mitigator import Mitigator

_BY_GROUP = (
    "The model decides by group: {columns} must come with every request, and two applicants who "
    "differ in it alone can get different answers. In some places, and for some decisions, that "
    "is unlawful however well meant; ask before it is used."
)
_OWN_MODEL = "{name} is a model of its own: the estimator of build_model was not used."


@dataclass(frozen=True)
class Mitigated:
    """What a mitigation made of an estimator."""

    estimator: Any
    """Fitted; what is packaged."""
    notes: tuple[str, ...]
    """What the evidence must say."""


def wrap(estimator: Any, settings: Settings, contract: Contract) -> Mitigator:
    """Return the mitigation that the settings ask for around an estimator, unfitted.

    Parameters
    ----------
    estimator : scikit-learn estimator
        Of ``build_model``, seeded.
    settings : Settings
        With ``fairness.mitigate``.
    contract : Contract
        Its classes say which is favourable.

    Raises
    ------
    ConfigError
        ``fairness.favourable`` is no class.
    """
    from gleis.evidence.mitigation.registered import MITIGATORS

    fairness = settings.fairness
    found = find_mitigation(fairness.mitigate or "")
    kind = MITIGATORS[found.name]
    hidden = [name for name in contract.names if name in hidden_columns(contract.names, settings)]
    options: dict[str, Any] = {
        "protected": list(fairness.mitigated_columns),
        "bands": {name: list(cuts) for name, cuts in fairness.bands.items()} or None,
        "hidden": hidden,
        "strength": fairness.strength,
    }
    known = set(kind._get_param_names())
    if found.constraints:
        options["constraint"] = fairness.constraint or found.constraints[0]
    if "favourable" in known:
        options["favourable"] = _favourable(fairness.favourable, contract)
    if "random_state" in known:
        options["random_state"] = derive_seed(settings.seed, "mitigation")
    return kind(**options) if found.own_model else kind(estimator, **options)


def mitigate(
    estimator: Any,
    settings: Settings,
    contract: Contract,
    rows: pl.DataFrame,
    features: pl.DataFrame,
    target: NDArray[np.generic],
) -> Mitigated:
    """Fit an estimator with the mitigation that the settings ask for.

    Parameters
    ----------
    estimator : scikit-learn estimator
        Of ``build_model``, seeded, unfitted.
    settings : Settings
    contract : Contract
    rows : DataFrame, (n_rows, ...)
        Training rows with all columns: the protected ones need not be features.
    features : DataFrame, (n_rows, n_features)
        As the model sees them.
    target : ndarray, (n_rows,)

    Raises
    ------
    GleisError
        Whatever the mitigation cannot do with these rows or this estimator.
    """
    from gleis.evidence.mitigation.groups import group_names

    fairness = settings.fairness
    for name in fairness.mitigated_columns:
        if name not in rows.columns:
            raise missing_column("fairness.protected", name, rows.columns)
    found = find_mitigation(fairness.mitigate or "")
    mitigator = wrap(estimator, settings, contract)
    # With every prediction it reads the groups off the features; then so here too.
    source = features if found.by_group else rows
    groups = group_names(source, fairness.mitigated_columns, fairness.bands)
    mitigator.fit(features, target, groups)
    return Mitigated(mitigator.packaged, _notes(found, mitigator, settings))


def buildable(
    build: Callable[[], Any], settings: Settings, contract: Contract
) -> Callable[[], Any]:
    """Return what builds an unfitted estimator for the contract's features.

    A mitigation that decides by group comes along: without it the model would see columns that
    are there for the mitigation only. Others need weights, and are left out.

    Parameters
    ----------
    build : callable () -> scikit-learn estimator
        Of the project, seeded.
    settings : Settings
    contract : Contract
    """
    if not hidden_columns(contract.names, settings):
        return build
    return lambda: wrap(build(), settings, contract)


def refuse_adopted(settings: Settings) -> None:
    """Refuse to mitigate a model that was fitted elsewhere.

    Raises
    ------
    ConfigError
        If the settings ask for it.
    """
    if settings.fairness.mitigate is not None:
        raise ConfigError(
            "A model that was fitted elsewhere cannot be mitigated here",
            seen=settings.fairness.mitigate,
            remedy="Return its estimator from build_model, so that it is fitted here.",
            field="fairness.mitigate",
        )


def _favourable(label: str | None, contract: Contract) -> int:
    classes = contract.classes or ()
    if label is None:
        return 1
    if label not in classes:
        raise ConfigError(
            "fairness.favourable is none of the classes",
            seen=label,
            remedy=f"Classes: {', '.join(classes)}.",
            field="fairness.favourable",
        )
    return classes.index(label)


def _notes(found: Mitigation, mitigator: Mitigator, settings: Settings) -> tuple[str, ...]:
    columns = ", ".join(settings.fairness.mitigated_columns)
    said = [f"Mitigated by {found.name} for {columns}, strength {settings.fairness.strength:g}."]
    said += mitigator.notes()
    if found.own_model:
        said.append(_OWN_MODEL.format(name=found.name))
    if found.by_group:
        said.append(_BY_GROUP.format(columns=columns))
    return tuple(said)
