"""Every error gleis raises on purpose.

::

    GleisError
    ├── ConfigError            a key of gleis.toml, a GLEIS_* variable or a flag
    ├── ProjectError           the project's module: import, load, build_model, baseline
    ├── DataError              rows that cannot be used
    ├── BlockedError           a verdict, or a rule of the house, says no
    ├── PackageError           a package that must not be loaded
    ├── RegistryError          a version, alias or moment that does not exist
    ├── RequestError           a request that cannot be answered (HTTP 4xx)
    │   ├── MalformedError     not JSON, empty, wrong shape               400
    │   ├── UnknownCallerError no key or token, or not a valid one        401
    │   ├── ForbiddenError     the caller may not do this                 403
    │   ├── UnknownModelError  a model or version that is not served      404
    │   ├── UnknownIdError     an id that names nothing here              404
    │   ├── ConflictError      what is there already stands against it    409
    │   ├── TooLargeError      body or batch over the limit               413
    │   ├── InvalidRowError    a field breaks the contract                422
    │   ├── CannotExplainError the model cannot be taken apart here       422
    │   └── TooManyError       the caller sends too many requests         429
    ├── UnavailableError       no model to answer with                    503
    │   └── BusyError          too much is asked for at once              503
    └── StoreError             a folder, file or database that fails us
        └── RacedError         another process wrote meanwhile; nothing was written here

Exit codes are mapped in ``cli/exits.py``, HTTP statuses in ``serving/statuses.py``, once each.
"""

from __future__ import annotations


class GleisError(Exception):
    """What failed, the value seen and what to do next.

    Parameters
    ----------
    what : str
        What failed, naming the field or the thing.
    seen : object, optional
        The value seen, shown with ``repr`` and cut at 200 characters.
    remedy : str, optional
        What to do next, a full sentence.
    field : str, optional
        The key, column or parameter at fault, for programs.

    Examples
    --------
    >>> print(GleisError("[split] test is not a duration", seen="14x", remedy="Write 14d."))
    [split] test is not a duration: '14x'. Write 14d.
    """

    def __init__(
        self, what: str, *, seen: object = ..., remedy: str = "", field: str | None = None
    ) -> None:
        self.what = what
        self.seen = None if seen is ... else _short(seen)
        self.remedy = remedy
        self.field = field
        message = what if self.seen is None else f"{what}: {self.seen}"
        super().__init__(f"{message}. {remedy}".strip() if remedy else message)


class ConfigError(GleisError):
    """A key of ``gleis.toml``, a ``GLEIS_*`` variable or a flag."""


class ProjectError(GleisError):
    """The project's own module fails: import, ``load``, ``build_model`` or ``baseline``."""


class DataError(GleisError):
    """Rows that cannot be used."""


class BlockedError(GleisError):
    """A verdict, or a rule of the house, says no."""


class PackageError(GleisError):
    """A package that must not be loaded."""


class RegistryError(GleisError):
    """A version, alias or moment that does not exist."""


class RequestError(GleisError):
    """A request that cannot be answered."""


class MalformedError(RequestError):
    """Not JSON, empty, or of the wrong shape."""


class UnknownCallerError(RequestError):
    """The request carries no API key or token, or one that opens nothing."""


class ForbiddenError(RequestError):
    """The caller is known but may not do this."""


class TooManyError(RequestError):
    """The caller sends more requests than it may.

    Parameters
    ----------
    what, seen, remedy, field
        As for every error.
    retry_after : float
        Seconds until a request will be let through again.
    """

    def __init__(
        self,
        what: str,
        *,
        seen: object = ...,
        remedy: str = "",
        field: str | None = None,
        retry_after: float = 1.0,
    ) -> None:
        super().__init__(what, seen=seen, remedy=remedy, field=field)
        self.retry_after = retry_after


class UnknownModelError(RequestError):
    """A model or a version that is not served here."""


class UnknownIdError(RequestError):
    """An id that names nothing here."""


class ConflictError(RequestError):
    """What is there already stands against it."""


class TooLargeError(RequestError):
    """The body or the batch is over the limit."""


class InvalidRowError(RequestError):
    """A field breaks the contract."""


class CannotExplainError(RequestError):
    """The model cannot be taken apart here."""


class UnavailableError(GleisError):
    """There is no model to answer with."""


class BusyError(UnavailableError):
    """Too much is asked for at once, or it takes too long.

    Parameters
    ----------
    what, seen, remedy, field
        As for every error.
    retry_after : float
        Seconds until it is worth another try.
    """

    def __init__(
        self,
        what: str,
        *,
        seen: object = ...,
        remedy: str = "",
        field: str | None = None,
        retry_after: float = 1.0,
    ) -> None:
        super().__init__(what, seen=seen, remedy=remedy, field=field)
        self.retry_after = retry_after


class StoreError(GleisError):
    """A folder, a file or a database fails us."""


class RacedError(StoreError):
    """Another process wrote meanwhile, and nothing was written here: run it again."""


def _short(value: object, limit: int = 200) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
