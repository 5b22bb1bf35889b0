"""One peer in a process of its own: prepares itself, then explains a row each time it is told to.

``python process.py PEER PACKAGE``; PEER is a file beside this one with ``prepare(world)``, which
returns a function of a row's place. A line of input is a place; the answer is CPU milliseconds.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
import warnings
from pathlib import Path


def main() -> None:
    warnings.simplefilter("ignore")
    from world import open_world

    sys.path.insert(0, str(Path(__file__).parent))
    explain = importlib.import_module(sys.argv[1]).prepare(open_world(Path(sys.argv[2])))
    answers, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        started = time.process_time()
        said = explain(int(line))
        spent = (time.process_time() - started) * 1e3
        print(json.dumps({"ms": spent, "said": said}), file=answers, flush=True)


if __name__ == "__main__":
    main()
