"""Log loss of three policies over nine months of flights, and what the retrainings cost.

Runs what ``gleis demo`` runs, in a folder of its own, and prints the table as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

GOALS = {
    "log_loss_project": "<= log_loss_monthly",
    "retrainings_project": "<= 5",
    "false_alarms": "0",
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "punctuality"
        command = [sys.executable, "-m", "gleis", "demo", "--folder", str(project), "--json"]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    policies = {p["policy"]: p for p in json.loads(told)["backtest"]["policies"]}
    own = policies["project"]
    figures = {
        **{f"log_loss_{name}": p["figures"]["log_loss"] for name, p in policies.items()},
        **{f"roc_auc_{name}": p["figures"]["roc_auc"] for name, p in policies.items()},
        **{f"retrainings_{name}": p["retrainings"] for name, p in policies.items()},
        "alarms_project": len(own["alarms"]),
        "confirmed_alarms": sum(alarm["confirmed"] is True for alarm in own["alarms"]),
        "false_alarms": sum(alarm["confirmed"] is False for alarm in own["alarms"]),
        "rows": own["rows"],
        **{f"seconds_{name}": round(p["seconds"], 1) for name, p in policies.items()},
    }
    kept = {
        "log_loss_project": figures["log_loss_project"] <= figures["log_loss_monthly"],
        "retrainings_project": figures["retrainings_project"] <= 5,
        "false_alarms": figures["false_alarms"] == 0,
    }
    missed = [name for name, holds in kept.items() if not holds]
    print(json.dumps({"benchmark": "loop", "figures": figures, "goals": GOALS, "missed": missed}))


if __name__ == "__main__":
    main()
