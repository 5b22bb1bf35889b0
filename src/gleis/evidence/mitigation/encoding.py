"""Mixed columns to numbers, for mitigations that are models of their own."""

from __future__ import annotations

from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from gleis.evidence.mitigation.tables import number_columns


def column_encoder(table: Any) -> ColumnTransformer:
    """Return an unfitted encoder for the columns of a table.

    Numbers: a missing one becomes the median, then mean 0 and standard deviation 1. Text and
    truth values: a column for each value; one that training did not see has none.
    """
    scaled = list(number_columns(table))
    coded = [name for name in table.columns if name not in scaled]
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), scaled),
            ("words", OneHotEncoder(handle_unknown="ignore", sparse_output=False), coded),
        ]
    )
