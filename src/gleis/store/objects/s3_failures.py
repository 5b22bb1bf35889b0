"""What went wrong with S3, from the texts of its clients: one sentence, and never a secret.

obstore, deltalake and polars speak to S3 through the same Rust library and fail with its texts.
Those hold the server's answer, which may hold an access key: only its error code is taken over.
"""

from __future__ import annotations

import os
import re

from gleis.contracts.errors import StoreError
from gleis.store.objects.patience import Passing

_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_STATUS = re.compile(r"\b([345]\d\d) (?:[A-Z][A-Za-z]+ ?)+")
_REFUSED = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"}
_SILENT = (
    "error sending request", "tcp connect error", "dns error", "connection closed", "timed out",
    "Connection reset", "error decoding response body", "error reading a body",
)  # fmt: skip


def failure(error: Exception, url: str) -> StoreError | Passing:
    """Say what a client's error means.

    Parameters
    ----------
    error : Exception
        Of obstore, deltalake or polars.
    url : str
        ``s3://bucket/prefix``: what it was about.

    Returns
    -------
    StoreError or Passing
        The latter if it may pass: the server does not answer, or answers 5xx or "slow down".
    """
    text = str(error)
    code = found.group(1) if (found := _CODE.search(text)) else None
    status = int(found.group(1)) if (found := _STATUS.search(text)) else None
    if code == "NoSuchBucket":
        return _no_bucket(url)
    if "169.254." in text or "credential" in text.lower():
        return _no_credentials(url)
    if code in _REFUSED or status in (401, 403):
        return _refused(url, code or f"{status}")
    if code == "AuthorizationHeaderMalformed" or status in (301, 307):
        return _elsewhere(url)
    if status is not None and (status >= 500 or status == 429):
        return Passing(
            f"{endpoint()} answers {status}",
            seen=code or url,
            remedy="Wait until it works again, then run it again: nothing is lost.",
        )
    if any(words in text for words in _SILENT):
        return _silent(url)
    return StoreError(
        f"{url} fails",
        seen=code or _first_line(text),
        remedy="Run it again; what was written before is whole.",
    )


def final_failure(error: Exception, url: str) -> StoreError:
    """Say what an error means whose client has already asked again for as long as it may."""
    found = failure(error, url)
    if isinstance(found, StoreError):
        return found
    tried = re.search(r"after (\d+) retries", str(error))
    attempts = f" (asked {int(tried.group(1)) + 1} times)" if tried else ""
    return StoreError(found.what + attempts, seen=found.seen, remedy=found.remedy)


def endpoint() -> str:
    """Return where S3 is asked, as the environment says."""
    return (
        os.environ.get("AWS_ENDPOINT_URL_S3")
        or os.environ.get("AWS_ENDPOINT_URL")
        or os.environ.get("AWS_ENDPOINT")
        or "Amazon S3"
    )


def _no_bucket(url: str) -> StoreError:
    bucket = url.removeprefix("s3://").partition("/")[0]
    return StoreError(
        f"There is no bucket {bucket} at {endpoint()}",
        seen=url,
        remedy="Make it, or correct the URL or AWS_ENDPOINT_URL.",
    )


def _no_credentials(url: str) -> StoreError:
    return StoreError(
        f"No credentials for {endpoint()}",
        seen=url,
        remedy="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role.",
    )


def _refused(url: str, code: str) -> StoreError:
    whose = {
        "InvalidAccessKeyId": "there is no such access key",
        "SignatureDoesNotMatch": "the secret key is not that of the access key",
        "ExpiredToken": "the session has expired",
        "InvalidToken": "the session token is not valid",
    }
    why = whose.get(code, "they may not do this")
    return StoreError(
        f"{endpoint()} refuses our credentials for {url}: {why}",
        seen=code,
        remedy="Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for a session, "
        "AWS_SESSION_TOKEN; or let the key read, write and list there.",
    )


def _elsewhere(url: str) -> StoreError:
    return StoreError(
        f"The bucket of {url} is in another region",
        seen=os.environ.get("AWS_REGION", "AWS_REGION is not set"),
        remedy="Set AWS_REGION to the bucket's.",
    )


def _silent(url: str) -> Passing:
    return Passing(
        f"{endpoint()} cannot be reached",
        seen=url,
        remedy="Check AWS_ENDPOINT_URL and the network, then run it again: nothing is lost.",
    )


def _first_line(text: str) -> str:
    return re.sub(r"\x1b\[\d*m", "", text).strip().partition("\n")[0].partition("<?xml")[0][:160]
