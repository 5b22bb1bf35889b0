"""Project folders to start from."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from gleis.contracts.errors import ConfigError, StoreError

TEMPLATES = ("blank", "flights", "iris", "diabetes")
_FOLDER = Path(__file__).parent / "templates"


def make_project(folder: Path, template: str) -> list[Path]:
    """Write a template's files into ``folder``.

    Returns
    -------
    list of Path
        The files made.

    Raises
    ------
    ConfigError
        If the template is unknown, or the folder holds a project already.
    StoreError
        If the folder cannot be written.
    """
    if template not in TEMPLATES:
        raise ConfigError(
            "there is no such template",
            seen=template,
            remedy=f"Take one of {', '.join(TEMPLATES)}.",
            field="--template",
        )
    name = re.sub(r"[^A-Za-z0-9_-]", "-", folder.resolve().name)
    module = re.sub(r"\W", "_", name)
    if module[:1].isdigit():
        module = f"_{module}"
    made = []
    for source in sorted((_FOLDER / template).iterdir()):
        if source.suffix not in {".py", ".toml"}:
            continue
        target = folder / (f"{module}.py" if source.stem == "project" else source.name)
        text = source.read_text(encoding="utf-8")
        if source.suffix == ".toml":
            text = Template(text).substitute(name=name, module=module)
        made.append(_write(target, text))
    return made


def _write(target: Path, text: str) -> Path:
    if target.exists():
        raise ConfigError(
            "this folder holds a project already",
            seen=str(target),
            remedy="Take another folder, or remove the file.",
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {error.strerror}") from error
    return target
