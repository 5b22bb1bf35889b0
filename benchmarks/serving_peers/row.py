"""A row of flights as pydantic checks it, for the peers that use pydantic."""

from __future__ import annotations

from pydantic import BaseModel


class Row(BaseModel):
    """Kinds only; pydantic knows nothing of ranges and categories unless one writes them down."""

    carrier: str
    origin: str
    dest: str
    hour: int
    minute: int
    weekday: int
    distance: int
    visib: float | None
    temp: float | None
    dewp: float | None
    humid: float | None
    wind_dir: float | None
    wind_speed: float | None
    wind_gust: float | None
    precip: float | None
    pressure: float | None
