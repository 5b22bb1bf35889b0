"""gleis carries a trained model to production and keeps it on the rails.

The root loads nothing heavy: public names are resolved on first use.
"""

from __future__ import annotations

__version__ = "0.1.0"
