"""What gleis needs to know: where rows come from and how the model is built."""

from pathlib import Path

import polars as pl
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder


def load(since, until):
    """Return one row per example (polars, pandas or pyarrow)."""
    return pl.read_csv(Path(__file__).with_name("data.csv"))


def build_model(params):
    """Return an unfitted scikit-learn estimator, preprocessing inside."""
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=float("nan"))
    text = make_column_selector(dtype_exclude="number")
    return make_pipeline(
        make_column_transformer((encode, text), remainder="passthrough"),
        HistGradientBoostingClassifier(**params),
    )
