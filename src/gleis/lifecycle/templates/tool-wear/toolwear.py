"""Is the tool worn? 18 machining experiments on a CNC mill, ten rows a second.

The data are "Tool wear detection in CNC mill" of the University of Michigan's System-level
Manufacturing and Automation Research Testbed (Kaggle: shasun/tool-wear-detection-in-cnc-mill).
Put them where ``[params] data`` says, or say with the variable CNC_DATA where they are.
"""

import os
import tomllib
from pathlib import Path

import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

EXPERIMENTS = range(1, 19)
SAME = ["Z1_CurrentFeedback", "Z1_DCBusVoltage", "Z1_OutputCurrent", "Z1_OutputVoltage"]
SAME += ["S1_SystemInertia"]  # one value in all experiments
MODELS = {
    "tree": DecisionTreeClassifier,
    "forest": RandomForestClassifier,
    "boosting": HistGradientBoostingClassifier,
}


def load(since, until):
    """Return the rows in which the tool was cutting, with the set-up of their experiment."""
    folder = data_folder()
    setups = pl.read_csv(folder / "train.csv").select(
        pl.col("No").cast(pl.Int64).alias("experiment"),
        "feedrate",
        "clamp_pressure",
        "tool_condition",
    )
    parts = [read(folder, number) for number in EXPERIMENTS]
    rows = pl.concat(parts, how="vertical_relaxed")
    cutting = rows.filter(pl.col("Machining_Process").str.contains("^Layer . (Up|Down)$"))
    joined = cutting.join(setups, on="experiment", how="left", maintain_order="left")
    return joined.drop("Machining_Process", *SAME)


def build_model(params):
    """Return the model that ``[params] model`` names."""
    return MODELS[params["model"]]()


def read(folder, number):
    """Read one experiment. Some files end their lines as old Macs did; read_text mends that."""
    text = (folder / f"experiment_{number:02d}.csv").read_text(encoding="utf-8")
    rows = pl.read_csv(text.encode(), infer_schema_length=None)
    return rows.with_columns(experiment=pl.lit(number, pl.Int64))


def data_folder():
    """Return the folder of the download, relative to the project."""
    here = Path(__file__).parent
    written = tomllib.loads((here / "gleis.toml").read_text(encoding="utf-8"))["params"]["data"]
    folder = here / os.environ.get("CNC_DATA", written)
    if not (folder / "train.csv").is_file():
        raise FileNotFoundError(
            f"there is no train.csv in {folder}: download the data (see the top of this file) and "
            "unpack them there, mend [params] data, or set CNC_DATA"
        )
    return folder
