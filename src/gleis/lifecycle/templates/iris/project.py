"""Which iris is it? Fisher's 150 flowers, three species."""

import polars as pl
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def load(since, until):
    """Return the flowers; lengths in cm."""
    iris = load_iris()
    names = [name.removesuffix(" (cm)").replace(" ", "_") for name in iris.feature_names]
    rows = pl.DataFrame(iris.data, schema=names)
    species = [str(iris.target_names[number]) for number in iris.target]
    return rows.with_columns(species=pl.Series(species)).with_row_index("plant")


def build_model(params):
    """Return a multinomial regression on standardised lengths."""
    return make_pipeline(StandardScaler(), LogisticRegression(**params))


def baseline(rows):
    """Short petals are setosa, long ones virginica."""
    length = pl.col("petal_length").round(0)
    return rows.select(
        pl.when(length <= 2)
        .then(pl.lit("setosa"))
        .when(length <= 4)
        .then(pl.lit("versicolor"))
        .otherwise(pl.lit("virginica"))
    ).to_series()
