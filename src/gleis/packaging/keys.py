"""EC keys: one that signs packages, and the public halves that are trusted."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gleis.contracts.errors import BlockedError, ConfigError, StoreError

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}
"""The curves of OpenSSF's model signing, and the hash that goes with each."""


class PublicKey:
    """The half of a key that verifies.

    Parameters
    ----------
    key : EllipticCurvePublicKey
        On P-256, P-384 or P-521.
    name : str
        What people call it: its file's name.
    """

    def __init__(self, key: ec.EllipticCurvePublicKey, name: str) -> None:
        if key.curve.name not in _HASHES:
            raise ConfigError(
                f"{name} is on a curve that signatures of models do not use",
                seen=key.curve.name,
                remedy="Take a key on P-256, P-384 or P-521: gleis keys new makes one.",
                field="signing.key",
            )
        self._key = key
        self.name = name
        self.pem = key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.fingerprint = hashlib.sha256(self.pem).hexdigest()
        """SHA-256 of the PEM text: what ``sha256sum`` says of a ``.pub`` file."""

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Say whether the private half signed ``message``."""
        try:
            self._key.verify(signature, message, ec.ECDSA(_HASHES[self._key.curve.name]))
        except InvalidSignature:
            return False
        return True

    def __reduce__(self) -> tuple[Callable[..., PublicKey], tuple[str, bytes]]:
        return parse_public, (self.name, self.pem)

    def __repr__(self) -> str:
        return f"PublicKey({self.name}, {self.fingerprint[:16]})"


class Signer:
    """A private key.

    Parameters
    ----------
    key : EllipticCurvePrivateKey
    name : str

    Examples
    --------
    >>> signer = Signer.fresh()
    >>> signer.public.verifies(signer.sign(b"a message"), b"a message")
    True
    """

    def __init__(self, key: ec.EllipticCurvePrivateKey, name: str) -> None:
        self._key = key
        self.public = PublicKey(key.public_key(), name)

    @classmethod
    def fresh(cls, name: str = "signing") -> Signer:
        """Make a key on P-256, in memory only."""
        return cls(ec.generate_private_key(ec.SECP256R1()), name)

    def sign(self, message: bytes) -> bytes:
        """Return the DER signature."""
        digest = _HASHES[self._key.curve.name]
        return self._key.sign(message, ec.ECDSA(digest))

    def to_pem(self, passphrase: str | None = None) -> bytes:
        """Return the private key as PKCS#8 PEM, encrypted if there is a passphrase."""
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if passphrase:
            encryption = serialization.BestAvailableEncryption(passphrase.encode())
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
        )


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Whose packages may be loaded.

    Examples
    --------
    >>> signer = Signer.fresh()
    >>> Trust.of(signer.public).find(signer.public.fingerprint)
    PublicKey(signing, ...)
    >>> Trust.of().find(signer.public.fingerprint) is None
    True
    """

    keys: tuple[PublicKey, ...] = ()
    unsigned: bool = False
    """Load packages without looking at their signature: for development only."""

    @classmethod
    def of(cls, *keys: PublicKey) -> Trust:
        """Trust these keys and no other."""
        return cls(keys=keys)

    def find(self, fingerprint: str) -> PublicKey | None:
        """Return the trusted key with this fingerprint."""
        return next((key for key in self.keys if key.fingerprint == fingerprint), None)


def write_key(path: Path, signer: Signer, passphrase: str | None = None) -> None:
    """Write a private key (mode 0600) and, beside it, its public half (``.pub``).

    Raises
    ------
    BlockedError
        There is a key already: it is never overwritten.
    StoreError
        The folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write_new(path, signer.to_pem(passphrase), 0o600)
        draft = path.with_name(f".{path.stem}-{secrets.token_hex(4)}.pub")
        draft.write_bytes(signer.public.pem)
        draft.replace(public_file(path))
    except OSError as error:
        raise StoreError(
            f"The key cannot be written: {error.strerror or error}",
            seen=str(path),
            remedy="Make the folder writable, or set another place: signing.key in gleis.toml.",
            field="signing.key",
        ) from error


def _write_new(path: Path, content: bytes, mode: int) -> None:
    """Write a file whole, and never over another one."""
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        raise BlockedError(
            "There is a key already, and a key is never overwritten",
            seen=str(path),
            remedy="Keep it, or retire it with gleis keys new --rotate.",
            field="signing.key",
        ) from None
    finally:
        draft.unlink()


def public_file(path: Path) -> Path:
    """Return where the public half of the private key at ``path`` is kept."""
    return path.with_suffix(".pub")


def read_signer(path: Path, passphrase: str | None = None) -> Signer:
    """Read a private key.

    Raises
    ------
    ConfigError
        It is not there, not an EC key, or the passphrase is missing or wrong.
    """
    content = _read(path)
    try:
        key = serialization.load_pem_private_key(
            content, passphrase.encode() if passphrase else None
        )
    except TypeError as error:
        needs = "needs a passphrase" if passphrase is None else "has no passphrase"
        raise ConfigError(
            f"The key {needs}",
            seen=str(path),
            remedy="Name the environment variable that holds it: signing.passphrase_from.",
            field="signing.passphrase_from",
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError(
            f"The key cannot be read: {error}",
            seen=str(path),
            remedy="Name a private EC key as PEM, and its right passphrase.",
            field="signing.key",
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise _no_ec(path)
    return Signer(key, path.stem)


def read_public(path: Path) -> PublicKey:
    """Read a public key.

    Raises
    ------
    ConfigError
        It is not there, or is not a public EC key.
    """
    return parse_public(str(path), _read(path))


def parse_public(name: str, pem: bytes) -> PublicKey:
    """Read a public key from its PEM.

    Parameters
    ----------
    name : str
        The file it came from.
    pem : bytes

    Raises
    ------
    ConfigError
        It is not a public EC key.
    """
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError(
            f"The public key cannot be read: {error}",
            seen=name,
            remedy="Name a public EC key as PEM: the .pub file of gleis keys new.",
            field="signing.trust",
        ) from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise _no_ec(Path(name))
    return PublicKey(key, Path(name).stem)


def read_trust(paths: Iterable[Path]) -> Trust:
    """Trust the public keys in these files and no other."""
    return Trust(keys=tuple(read_public(path) for path in paths))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"The key cannot be read: {error.strerror or error}",
            seen=str(path),
            remedy="Make one with gleis keys new, or mend [signing] in gleis.toml.",
            field="signing.key",
        ) from error


def _no_ec(path: Path) -> ConfigError:
    return ConfigError(
        "The key is not an EC key",
        seen=str(path),
        remedy="Take a key on P-256, P-384 or P-521: gleis keys new makes one.",
        field="signing.key",
    )
