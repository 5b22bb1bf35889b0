"""The page of an explanation: one HTML file with its chart, no network."""

from __future__ import annotations

from pathlib import Path

import vl_convert

from gleis.contracts.wording import Language, Wording
from gleis.evidence.explain.charts import chart_of
from gleis.lifecycle.backtests.report import EXPORTS, PAGES, spec
from gleis.lifecycle.explaining import Told


def write_explanation(told: Told, path: Path, language: Language, names: Wording) -> Path:
    """Draw an explanation into one HTML file that needs no network.

    Parameters
    ----------
    told : Told
    path : Path
        Its folder is made.
    language : {"en", "de"}
    names : Wording
    """
    page = PAGES.get_template("explanation.html").render(
        told=told,
        language=language,
        sentences=told.words(language, names).splitlines(),
        chart=spec(chart_of(told.explanation, told.contract, names)),
        library=vl_convert.javascript_bundle(EXPORTS),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path
