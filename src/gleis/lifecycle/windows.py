"""Windows of rows by name, and two of them compared."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from gleis.config.durations import parse_duration
from gleis.contracts.clock import utc
from gleis.contracts.errors import ConfigError, DataError, RegistryError
from gleis.contracts.profile import Profile
from gleis.contracts.windows import Together, WindowComparison
from gleis.data.door import to_frame
from gleis.data.profile import profile
from gleis.evidence.losses import score_columns
from gleis.lifecycle.parts import read_parts
from gleis.lifecycle.workbench import Workbench
from gleis.monitoring.joint.telling import Method
from gleis.monitoring.joint.windows import compare_together
from gleis.monitoring.windows.compare import compare
from gleis.store.log.erasing import kept_rows
from gleis.store.log.logged import Logged

_FORMS = (
    "Write champion, v3 or latest (a dataset version), last-30d or log (what was served), "
    "2013-04-01..2013-05-01 (rows of the newest version) or a .parquet or .csv file."
)
_READERS: dict[str, Callable[[Path], pl.DataFrame]] = {
    ".parquet": pl.read_parquet,
    ".csv": pl.read_csv,
}


def compare_windows(
    bench: Workbench,
    reference: str,
    current: str,
    columns: Sequence[str] | None = None,
    false_discoveries: float = 0.05,
    together: Method | None = None,
) -> WindowComparison:
    """Compare two windows, by default over the model's features and its scores.

    Parameters
    ----------
    bench : Workbench
    reference, current : str
        ``champion`` (its training data, sketched), ``v3`` or ``latest`` (a dataset version),
        ``last-30d`` or ``log`` (what was served), ``2013-04-01..2013-05-01`` (rows of the newest
        dataset version by their event time), or a table on disk.
    columns : sequence of str, optional
    false_discoveries : float
        Rate of false ones among the columns called changed.
    together : {"energy", "classifier"}, optional
        Ask too whether columns go together differently, whatever each does alone.

    Raises
    ------
    ConfigError
        If a window is not one.
    DataError
        If a window has no rows.
    """
    first, second = (_read(bench, name) for name in (reference, current))
    rows = first, second
    if isinstance(first, Profile) and isinstance(second, pl.DataFrame):
        second = _like(second, first)
    elif isinstance(second, Profile) and isinstance(first, pl.DataFrame):
        first = _like(first, second)
    chosen = columns or _default(bench, first, second)
    found = compare(
        first,
        second,
        columns=chosen,
        false_discoveries=false_discoveries,
        names=(reference, current),
    )
    if together is None:
        return found
    columns_known = [each.column for each in found.columns if not each.column.startswith("score")]
    return msgspec.structs.replace(
        found, together=_together(*rows, columns_known, together, bench.settings.seed)
    )


def _together(
    reference: pl.DataFrame | Profile,
    current: pl.DataFrame | Profile,
    columns: list[str],
    method: Method,
    seed: int,
) -> Together:
    if isinstance(reference, Profile) or isinstance(current, Profile):
        raise ConfigError(
            "sketches do not say how columns go together",
            seen="champion",
            remedy="Name a window of rows instead, such as latest or v3.",
            field="--together",
        )
    return compare_together(reference, current, columns, method, seed)


def _read(bench: Workbench, name: str) -> pl.DataFrame | Profile:
    path = Path(name)
    if name == "champion":
        return _champion(bench)
    if path.suffix in _READERS:
        return _from_disk(path)
    if name == "log":
        return _served(bench, None)
    if name.startswith("last-"):
        span = parse_duration(name.removeprefix("last-"), "window")
        return _served(bench, bench.clock.now() - span)
    if ".." in name:
        return _between(bench, *name.split("..", 1))
    if re.fullmatch(r"v?\d+|latest", name):
        return bench.read(bench.datasets.get(name))
    raise ConfigError("there is no such window", seen=name, remedy=_FORMS, field="window")


def _champion(bench: Workbench) -> Profile:
    live = bench.deployments.champion()
    if live is None:
        raise RegistryError("nothing is live", remedy="Make a model: gleis run", seen="champion")
    reference = read_parts(bench, live.version).reference
    # Scores are of test rows, features of all: both are what is to be expected.
    return Profile(
        rows=reference.features.rows,
        columns=reference.features.columns | reference.scores.columns,
    )


def _from_disk(path: Path) -> pl.DataFrame:
    try:
        return to_frame(_READERS[path.suffix](path))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(
            f"The table cannot be read: {error}",
            seen=str(path),
            remedy="Give a whole .parquet or .csv file.",
        ) from error


def _between(bench: Workbench, since: str, until: str) -> pl.DataFrame:
    time = bench.settings.project.time
    if time is None:
        raise ConfigError(
            "rows have no event time to cut by",
            seen=f"{since}..{until}",
            remedy="Name its column under [project] time.",
            field="project.time",
        )
    rows = bench.read(bench.datasets.get("latest"))
    return rows.filter((pl.col(time) >= _moment(since)) & (pl.col(time) < _moment(until)))


def _moment(text: str) -> datetime:
    try:
        return utc(datetime.fromisoformat(text))
    except ValueError:
        raise ConfigError(
            "a window begins or ends at no moment", seen=text, remedy=_FORMS, field="window"
        ) from None


def _served(bench: Workbench, since: datetime | None) -> pl.DataFrame:
    after = bench.home.log.since(since)[0] if since is not None else 0
    batches = [logged for logged in _entries(bench, after) if not logged.batch.fallback]
    if since is not None:
        batches = [logged for logged in batches if logged.batch.at >= since]
    names = list(dict.fromkeys(name for b in batches for name in b.batch.features))
    columns = {name: [v for b in batches for v in _values(b, name)] for name in names}
    frame = pl.DataFrame([pl.Series(n, values, strict=False) for n, values in columns.items()])
    return frame.hstack(_scores(bench, batches)) if batches else frame


def _entries(bench: Workbench, after: int) -> Iterator[Logged]:
    while batches := bench.home.log.read(after):
        for logged in batches:
            yield msgspec.structs.replace(logged, batch=kept_rows(logged.batch))
        after = batches[-1].seq


def _values(logged: Logged, name: str) -> Sequence[object]:
    found: Sequence[object] = logged.batch.features.get(name, [None] * logged.batch.rows)
    return found


def _scores(bench: Workbench, batches: Sequence[Logged]) -> pl.DataFrame:
    parts = []
    contracts = {}
    for logged in batches:
        version = logged.batch.version
        if version not in contracts:
            contracts[version] = read_parts(bench, bench.registry.get(version)).contract
        scores = np.asarray(logged.batch.scores, dtype=np.float64)
        parts.append(pl.DataFrame(score_columns(scores, contracts[version])))
    return pl.concat(parts, how="diagonal")


def _like(frame: pl.DataFrame, other: Profile) -> Profile:
    shared = [name for name in frame.columns if name in other.columns]
    return profile(frame, shared, like=other)


def _default(
    bench: Workbench, first: pl.DataFrame | Profile, second: pl.DataFrame | Profile
) -> list[str] | None:
    """Leave out ids, times and the target, which differ without meaning anything."""
    project = bench.settings.project
    apart = {project.id, project.time, bench.settings.split.group}
    columns = [list(each.columns) for each in (first, second)]
    shared = [name for name in columns[0] if name in columns[1] and name not in apart]
    return shared or None
