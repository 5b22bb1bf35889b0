"""What gleis needs to know: where rows come from and how the model is built."""

from pathlib import Path

import polars as pl
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

TEXT: list[str] = []  # names of the columns that hold text


def load(since, until):
    """Return one row per example (polars, pandas or pyarrow)."""
    return pl.read_csv(Path(__file__).with_name("data.csv"))


def build_model(params):
    """Return an unfitted scikit-learn estimator, preprocessing inside."""
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=float("nan"))
    return make_pipeline(
        make_column_transformer((encode, TEXT), remainder="passthrough"),
        HistGradientBoostingClassifier(**params),
    )
