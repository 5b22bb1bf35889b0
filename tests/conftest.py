from __future__ import annotations

import sys
from pathlib import Path

# Shared makers of small projects are plain modules beside this file.
sys.path.insert(0, str(Path(__file__).parent))
