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
    from gleis.lifecycle.project import Project
    from gleis.serving.batch.embedded import Scorer, load

__version__ = VERSION
__all__ = ["Project", "Scorer", "__version__", "load", "table"]

# No telemetry, ever: MLflow sends some unless told not to, whoever imports it first.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

_PUBLIC = {
    "Project": "gleis.lifecycle.project",
    "Scorer": "gleis.serving.batch.embedded",
    "load": "gleis.serving.batch.embedded",
    "table": "gleis.data.beside",
}


def __getattr__(name: str) -> Any:
    """Resolve a public name when it is first used."""
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'gleis' has no attribute {name!r}")
