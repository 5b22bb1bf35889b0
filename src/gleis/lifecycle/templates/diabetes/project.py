"""How far will the disease have progressed in a year? 442 diabetes patients."""

import polars as pl
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge


def load(since, until):
    """Return the patients; all measurements standardised by the publishers."""
    data = load_diabetes()
    rows = pl.DataFrame(data.data, schema=data.feature_names)
    return rows.with_columns(progression=pl.Series(data.target)).with_row_index("patient")


def build_model(params):
    """Return a ridge regression."""
    return Ridge(**params)
