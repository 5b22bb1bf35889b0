"""Read a package's ``model.skops`` and write it as joblib, the form that peers load."""

from __future__ import annotations

import sys

import joblib
import skops.io

if __name__ == "__main__":
    source, target = sys.argv[1:]
    joblib.dump(skops.io.load(source, trusted=skops.io.get_untrusted_types(file=source)), target)
