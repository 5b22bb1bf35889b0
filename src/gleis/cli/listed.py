"""Groups of commands that are listed here and loaded when one of them is asked for.

``gleis --help`` needs a line of each command, not the command: to import all of them and to read
their options takes longer than everything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup

Listing = Mapping[str, Mapping[str, str]]
"""By module that has ``register``: its commands by name, with the first sentence of their help."""


def group_of(listing: Listing) -> type[TyperGroup]:
    """Make the class of a group whose commands are loaded when they are asked for.

    Parameters
    ----------
    listing : mapping of str to mapping of str to str
        What ``--help`` shows, in its order.

    Returns
    -------
    type
        For ``typer.Typer(cls=...)``.
    """

    class ListedGroup(TyperGroup):
        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            self.commands = ListedCommands(listing)

        def list_commands(self, ctx: Any) -> list[str]:
            return list(self.commands)

        def format_commands(self, ctx: Any, formatter: Any) -> None:
            lines = {name: line for module in listing.values() for name, line in module.items()}
            room = formatter.width - 6 - max(map(len, lines))
            with formatter.section("Commands"):
                formatter.write_dl(
                    [
                        (name, TyperCommand(name, help=line).get_short_help_str(room))
                        for name, line in lines.items()
                    ]
                )

    return ListedGroup


class ListedCommands(MutableMapping[str, Any]):
    """Commands by name; one that is asked for is loaded, with those of its module.

    Parameters
    ----------
    listing : mapping of str to mapping of str to str
    """

    def __init__(self, listing: Listing) -> None:
        self._modules = {name: module for module, names in listing.items() for name in names}
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        """Load a command. Raises KeyError if none has that name."""
        if name not in self._loaded:
            self._loaded |= commands_of(self._modules[name])
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:
        """Add a command that is there already."""
        self._modules[name] = ""
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        """Forget a command."""
        del self._modules[name]
        self._loaded.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        """Go through the names; nothing is loaded."""
        return iter(self._modules)

    def __len__(self) -> int:
        """Count the names."""
        return len(self._modules)


def commands_of(module: str) -> dict[str, Any]:
    """Import a module and let it register its commands.

    Parameters
    ----------
    module : str
        It has a function ``register`` that takes a ``typer.Typer``.

    Returns
    -------
    dict of str to command
    """
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
    import_module(module).register(app)
    return dict(typer.main.get_group(app).commands)
