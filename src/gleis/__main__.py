"""``python -m gleis`` is ``gleis``."""

from __future__ import annotations

from gleis.cli.app import main

if __name__ == "__main__":
    main()
