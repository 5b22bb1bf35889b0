"""What the library ``model-signing`` says of a signature, beside what we say."""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path

import msgspec

from gleis.packaging.keys import Trust
from gleis.packaging.signature import SIGNATURE
from gleis.packaging.verify import Check, Verified


def second_opinion(verified: Verified, path: Path, trust: Trust) -> Verified:
    """Add OpenSSF's verifier to the checks, if it is installed (importing it takes a second).

    Parameters
    ----------
    verified : Verified
        Our own checks; they go first.
    path : Path
        Folder of the package.
    trust : Trust
        Keys, one of which must have signed.
    """
    if importlib.util.find_spec("model_signing") is None or not (path / SIGNATURE).is_file():
        return verified
    refused = ask_library(path, trust)
    text = f"OpenSSF's verifier refuses: {refused}" if refused else "OpenSSF's verifier agrees."
    check = Check(name="model_signing", passed=refused is None, text=text)
    return msgspec.structs.replace(verified, checks=(*verified.checks, check))


def ask_library(path: Path, trust: Trust) -> str | None:
    """Return why OpenSSF's verifier refuses a package under every trusted key; None if it agrees.

    Parameters
    ----------
    path : Path
        Folder of the package, with ``model.sig`` in it.
    trust : Trust
    """
    import model_signing

    refused = "no key is trusted"
    for key in trust.keys:
        with tempfile.NamedTemporaryFile(suffix=".pub") as file:
            file.write(key.pem)
            file.flush()
            verifier = model_signing.verifying.Config().use_elliptic_key_verifier(
                public_key=file.name
            )
            try:
                verifier.verify(path, path / SIGNATURE)
            except Exception as error:  # noqa: BLE001 - whatever it raises, it refuses
                refused = f"{type(error).__name__}: {error}"
            else:
                return None
    return refused
