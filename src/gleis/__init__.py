"""gleis carries a trained model to production and keeps it on the rails.

The root loads nothing heavy: public names are resolved on first use.

Examples
--------
>>> import gleis
>>> gleis.Project.__name__
'Project'
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from gleis.contracts.version import VERSION

if TYPE_CHECKING:
    from gleis.data.beside import table
    from gleis.data.features.joining import join_features
    from gleis.data.features.on_demand import on_demand
    from gleis.data.features.view import feature_view
    from gleis.lifecycle.project import Project
    from gleis.serving.batch.embedded import Scorer, load

__version__ = VERSION
__all__ = [
    "Project",
    "Scorer",
    "__version__",
    "feature_view",
    "join_features",
    "load",
    "on_demand",
    "table",
]

# No telemetry, ever: MLflow sends some unless told not to, whoever imports it first.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
# Threads that fit trees wait asleep: beside another busy process, those that wait by counting keep
# the processor from the one they wait for, and a fit of 3 s takes 60. The results are the same.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

_PUBLIC = {
    "Project": "gleis.lifecycle.project",
    "Scorer": "gleis.serving.batch.embedded",
    "feature_view": "gleis.data.features.view",
    "join_features": "gleis.data.features.joining",
    "load": "gleis.serving.batch.embedded",
    "on_demand": "gleis.data.features.on_demand",
    "table": "gleis.data.beside",
}


def __getattr__(name: str) -> Any:
    """Resolve a public name when it is first used."""
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'gleis' has no attribute {name!r}")
