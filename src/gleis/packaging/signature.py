"""``model.sig``: OpenSSF's signature over every file of a package, written and checked.

The bytes are those of the library ``model-signing``: a Sigstore bundle around a DSSE envelope
around an in-toto statement that lists every file and its hash. Importing that library takes a
second and 50 MB, which a service does not have; the tests hold the two against each other.

References
----------
OpenSSF Model Signing v1.0, https://github.com/ossf/model-signing-spec. Dead Simple Signing
Envelope v1.0, https://github.com/secure-systems-lab/dsse, ``protocol.md``. in-toto Attestation
Framework v1, https://github.com/in-toto/attestation, ``spec/v1/statement.md``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import PurePosixPath

import msgspec

from gleis.contracts.errors import PackageError
from gleis.packaging.keys import PublicKey, Signer, Trust

SIGNATURE = "model.sig"
"""The file with the signature; it covers every other file."""
MLFLOW_NOTE = "registered_model_meta"
"""MLflow writes it into a registered package that it loads; gleis never reads it."""

_BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_PAYLOAD = "application/vnd.in-toto+json"
_STATEMENT = "https://in-toto.io/Statement/v1"
_PREDICATE = "https://model_signing/signature/v1.0"
# What may be left out of a signature. The library's command leaves out git's files by itself; a
# package that holds one is refused for it, since no package has such a file.
_IGNORED = (SIGNATURE, MLFLOW_NOTE)
_IGNORABLE = frozenset({*_IGNORED, ".git", ".gitattributes", ".github", ".gitignore"})
_REMEDY = "Take an intact copy of the package, or build it again with gleis run."


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed a package."""

    key: str
    """Name of the trusted key."""
    fingerprint: str
    """SHA-256 of its PEM."""


class _Named(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Fields as a bundle writes them, in its order, and no other."""


class _KeyHint(_Named, frozen=True, kw_only=True):
    hint: str


class _Material(_Named, frozen=True, kw_only=True):
    public_key: _KeyHint
    tlog_entries: tuple[()] = ()


class _Mark(_Named, frozen=True, kw_only=True):
    sig: bytes
    keyid: str = ""


class _Envelope(_Named, frozen=True, kw_only=True):
    payload: bytes
    payload_type: str = _PAYLOAD
    signatures: tuple[_Mark]


class _Bundle(_Named, frozen=True, kw_only=True):
    media_type: str = _BUNDLE
    verification_material: _Material
    dsse_envelope: _Envelope


class _Resource(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    algorithm: str = "sha256"
    digest: str


class _Serialization(msgspec.Struct, frozen=True, kw_only=True):
    method: str = "files"
    hash_type: str = "sha256"
    allow_symlinks: bool = False
    ignore_paths: tuple[str, ...] = ()


class _Predicate(msgspec.Struct, frozen=True, kw_only=True):
    serialization: _Serialization
    resources: tuple[_Resource, ...]


class _Subject(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    digest: dict[str, str]


class _Statement(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    type_: str = msgspec.field(default=_STATEMENT, name="_type")
    subject: tuple[_Subject, ...]
    predicate_type: str = _PREDICATE
    predicate: _Predicate


def sign(hashes: Mapping[str, str], name: str, signer: Signer) -> bytes:
    """Return the content of ``model.sig``.

    Parameters
    ----------
    hashes : mapping of str to str
        Path -> SHA-256 (hex) of every file that is signed.
    name : str
        Name of the package's folder; informative.
    signer : Signer
    """
    resources = tuple(_Resource(name=path, digest=hashes[path]) for path in _in_order(hashes))
    statement = _Statement(
        subject=(_Subject(name=name, digest={"sha256": _root(resources)}),),
        predicate=_Predicate(
            serialization=_Serialization(ignore_paths=_IGNORED), resources=resources
        ),
    )
    payload = msgspec.json.encode(statement)
    bundle = _Bundle(
        verification_material=_Material(public_key=_KeyHint(hint=signer.public.fingerprint)),
        dsse_envelope=_Envelope(
            payload=payload, signatures=(_Mark(sig=signer.sign(_pre_authenticate(payload))),)
        ),
    )
    return msgspec.json.encode(bundle)


def check_signature(body: bytes | None, hashes: Mapping[str, str], trust: Trust) -> Signed:
    """Check that a trusted key signed exactly these files.

    Parameters
    ----------
    body : bytes or None
        Content of ``model.sig``; None if there is none.
    hashes : mapping of str to str
        Path -> SHA-256 (hex) of every file that is there, but for ``model.sig`` and MLflow's note.
    trust : Trust

    Raises
    ------
    PackageError
        No signature, an altered or foreign one, an untrusted key, or other files than the signed.
    """
    if body is None:
        raise _refuse(
            "The package is not signed",
            remedy="Sign it with gleis keys sign if it is yours, or build it again with gleis run.",
        )
    bundle = _read_bundle(body)
    key = _trusted(bundle.verification_material.public_key.hint, trust)
    envelope = bundle.dsse_envelope
    if not key.verifies(envelope.signatures[0].sig, _pre_authenticate(envelope.payload)):
        raise _refuse(f"The signature is not one of the key it names, {key.fingerprint[:16]}")
    signed = _read_statement(envelope.payload)
    _compare(signed, hashes)
    return Signed(key=key.name, fingerprint=key.fingerprint)


def _read_bundle(body: bytes) -> _Bundle:
    try:
        bundle = msgspec.json.decode(body, type=_Bundle)
    except msgspec.DecodeError as error:
        raise _refuse(f"model.sig cannot be read: {error}") from error
    kinds = (bundle.media_type, bundle.dsse_envelope.payload_type)
    if kinds != (_BUNDLE, _PAYLOAD):
        raise _refuse("model.sig is another kind of signature", seen=kinds)
    # Every byte counts: spaces, base64's spare bits and fields nobody reads could be changed
    # without the signature noticing.
    if msgspec.json.encode(bundle) != body:
        raise _refuse("model.sig was changed after the package was signed")
    return bundle


def _trusted(fingerprint: str, trust: Trust) -> PublicKey:
    key = trust.find(fingerprint)
    if key is None:
        known = ", ".join(f"{key.name} {key.fingerprint[:16]}" for key in trust.keys) or "none"
        raise _refuse(
            "The package is signed by a key that is not trusted",
            seen=fingerprint,
            remedy=f"Trusted: {known}. If it is the right one: gleis keys trust FILE.pub.",
        )
    return key


def _read_statement(payload: bytes) -> dict[str, str]:
    """Return path -> SHA-256 of what was signed."""
    try:
        statement = msgspec.json.decode(payload, type=_Statement)
    except msgspec.DecodeError as error:
        raise _refuse(f"What was signed cannot be read: {error}") from error
    kinds = (statement.type_, statement.predicate_type)
    if kinds != (_STATEMENT, _PREDICATE):
        raise _refuse("What was signed is not a model", seen=kinds)
    how = statement.predicate.serialization
    if (how.method, how.hash_type, how.allow_symlinks) != ("files", "sha256", False):
        raise _refuse("What was signed is not SHA-256 of whole files", seen=how)
    if not set(how.ignore_paths) <= _IGNORABLE:
        raise _refuse("The signature leaves files out", seen=how.ignore_paths)
    resources = statement.predicate.resources
    signed: dict[str, str] = {}
    for resource in resources:
        _check_resource(resource, signed)
        signed[resource.name] = resource.digest
    digests = [subject.digest.get("sha256") for subject in statement.subject]
    if digests != [_root(resources)]:
        raise _refuse("The signed list of files contradicts its own digest", seen=digests)
    return signed


def _check_resource(resource: _Resource, before: Mapping[str, str]) -> None:
    name, path = resource.name, PurePosixPath(resource.name)
    if not name or str(path) != name or path.is_absolute() or {".", ".."} & set(path.parts):
        raise _refuse("The signature names a file outside the package", seen=name)
    if name in before:
        raise _refuse("The signature names a file twice", seen=name)
    if resource.algorithm != "sha256" or not _is_sha256(resource.digest):
        raise _refuse("The signature holds a hash that is not SHA-256", seen=resource.digest)


def _compare(signed: Mapping[str, str], hashes: Mapping[str, str]) -> None:
    changed = [path for path in _in_order(signed) if hashes.get(path, signed[path]) != signed[path]]
    if "manifest.json" in changed and len(changed) > 1:
        raise _refuse(
            f"The signature is of another package: {len(changed)} of {len(signed)} files differ "
            "from those signed",
            seen=changed[:5],
        )
    for path in (
        *changed[:1],
        *sorted(set(signed) - set(hashes)),
        *sorted(set(hashes) - set(signed)),
    ):
        if path not in hashes:
            raise _refuse(f"{path} is missing: it was there when the package was signed", path)
        if path not in signed:
            raise _refuse(f"{path} was added after the package was signed", path)
        raise _refuse(f"{path} was changed after the package was signed", path)


def _pre_authenticate(payload: bytes) -> bytes:
    """Return DSSE's pre-authentication encoding: lengths first, so that nothing can be moved."""
    return b"DSSEv1 %d %s %d %s" % (len(_PAYLOAD), _PAYLOAD.encode(), len(payload), payload)


def _root(resources: tuple[_Resource, ...]) -> str:
    return hashlib.sha256(b"".join(bytes.fromhex(one.digest) for one in resources)).hexdigest()


def _in_order(hashes: Mapping[str, str]) -> list[str]:
    return sorted(hashes, key=lambda path: PurePosixPath(path).parts)


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and not set(text) - set("0123456789abcdef")


def _refuse(
    why: str, path: str = SIGNATURE, *, seen: object = ..., remedy: str = _REMEDY
) -> PackageError:
    return PackageError(why, seen=seen, remedy=remedy, field=path)
