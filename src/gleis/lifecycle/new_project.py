"""Project folders to start from."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from gleis.contracts.errors import ConfigError, StoreError

TEMPLATES = ("blank", "flights", "mortgage", "tool-wear", "iris", "diabetes")
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
    name = re.sub(r"[^A-Za-z0-9_-]", "-", folder.resolve().name).lstrip("-_") or "project"
    module = re.sub(r"\W", "_", name)
    if module[:1].isdigit():
        module = f"_{module}"
    texts: dict[Path, str] = {}
    for source in sorted((_FOLDER / template).iterdir()):
        if source.suffix not in {".py", ".toml"}:
            continue
        target = folder / (f"{module}.py" if source.stem == "project" else source.name)
        text = source.read_text(encoding="utf-8")
        toml = source.suffix == ".toml"
        texts[target] = Template(text).substitute(name=name, module=module) if toml else text
    if there := [target for target in texts if target.exists()]:
        raise ConfigError(
            "this folder holds a project already",
            seen=str(there[0]),
            remedy="Take another folder, or remove the file.",
        )
    for target, text in texts.items():
        _write(target, text)
    return list(texts)


def _write(target: Path, text: str) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {error.strerror}") from error
