"""Values of people, shown without being shown."""

from __future__ import annotations

import re


def mask(value: object) -> str:
    """Return the first character of a value and the shape of the rest.

    At most 24 characters; a letter or digit is a dot, so that one sees a form and no value.

    Examples
    --------
    >>> mask("anna.kern@example.org"), mask(4111111111111111)
    ('a•••.••••@•••••••.•••', '4•••••••••••••••')
    """
    text = str(value)
    hidden = text[:1] + re.sub(r"\w", "•", text[1:])
    return hidden if len(hidden) <= 24 else hidden[:23] + "…"
