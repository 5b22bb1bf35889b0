"""Which key of a project signs, and whose signatures it trusts."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from gleis.config.load import FILE, load_settings, parse_value
from gleis.config.settings import SigningSettings
from gleis.contracts.errors import BlockedError, ConfigError, StoreError
from gleis.packaging.keys import (
    PublicKey,
    Signer,
    Trust,
    parse_public,
    public_file,
    read_public,
    read_signer,
    write_key,
)

_TRUST = "GLEIS_SIGNING__TRUST"
_OFFERED = "offered"
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


class KeyRing:
    """The keys of one project.

    In the state folder, ``keys/signing.pem`` signs and ``keys/trusted/*.pub`` are trusted beside
    its public half. ``[signing]`` of ``gleis.toml`` names other places; once it names whom to
    trust, nothing in the state folder adds to that.

    Parameters
    ----------
    settings : SigningSettings
    project : Path
        Folder that paths in the settings are relative to.
    keys : Path
        The folder ``keys`` of the state folder.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> ring = KeyRing(SigningSettings(), folder, folder / "keys")
    >>> signer, new = ring.open()
    >>> new, ring.trust().find(signer.public.fingerprint)
    (True, PublicKey(signing, ...))
    >>> ring.open()[1]
    False
    """

    def __init__(self, settings: SigningSettings, project: Path, keys: Path) -> None:
        self._settings = settings
        self._project = project
        self._keys = keys

    @property
    def path(self) -> Path:
        """Where the private key is, or will be."""
        if self._settings.key is not None:
            return self._project / self._settings.key
        return self._keys / "signing.pem"

    @property
    def pinned(self) -> bool:
        """Whether the settings say whom to trust, and the state folder does not."""
        return bool(self._settings.trust)

    def open(self) -> tuple[Signer, bool]:
        """Return the key that signs and whether it was made just now.

        Only a key in the state folder is made unasked.

        Raises
        ------
        ConfigError
            It cannot be read, or packages that it signs would not be trusted.
        StoreError
            It cannot be written.
        """
        new = self._settings.key is None and not self.path.exists()
        if new:
            try:
                self.make()
            except BlockedError:  # another process made it in this moment
                new = False
        signer = read_signer(self.path, self._passphrase())
        if self.trust().find(signer.public.fingerprint) is None:
            raise ConfigError(
                "This project's key is none that signing.trust names: what it signs would not load",
                seen=signer.public.fingerprint,
                remedy="Add its fingerprint to signing.trust, or sign with a key that is in it: "
                "signing.key.",
                field="signing.trust",
            )
        return signer, new

    def make(self) -> PublicKey:
        """Make the key that signs.

        Raises
        ------
        BlockedError
            There is one: a key is never overwritten.
        StoreError
            It cannot be written.
        """
        write_key(self.path, Signer.fresh(self.path.stem), self._passphrase())
        return read_public(public_file(self.path))

    def rotate(self) -> PublicKey:
        """Make a new key; the former one is kept in ``former``, and its packages stay trusted."""
        former = self.public()
        if former is None:
            return self.make()
        self._add(former, former.pem)
        name = f"{former.fingerprint[:16]}.pem"
        place = self.path.parent / "former" / name
        try:
            place.parent.mkdir(mode=0o700, exist_ok=True)
            if self.path.exists():
                os.link(self.path, place)
                self.path.unlink()
        except OSError as error:
            raise StoreError(
                f"The former key cannot be kept: {error.strerror or error}",
                seen=str(place),
                remedy="Make the folder writable; nothing was changed.",
                field="signing.key",
            ) from error
        return self.make()

    def public(self) -> PublicKey | None:
        """Return the public half of the key that signs; None if there is no key here."""
        beside = public_file(self.path)
        if beside.exists():
            return read_public(beside)
        if self.path.exists():
            return read_signer(self.path, self._passphrase()).public
        return None

    def trust(self, *, unsigned: bool = False) -> Trust:
        """Return whose packages may be loaded.

        Parameters
        ----------
        unsigned : bool
            Everybody's: ``--insecure-dev``.

        Raises
        ------
        ConfigError
            A key that is named cannot be read or found.
        """
        return Trust(keys=tuple(self.trusted()), unsigned=unsigned)

    def trusted(self) -> list[PublicKey]:
        """Return the trusted keys: those pinned in the settings, else those in the state folder."""
        if not self.pinned:
            return self._known()
        return [self._pinned(entry) for entry in self._settings.trust]

    def add(self, file: Path) -> PublicKey:
        """Trust the public key in a file from now on.

        Raises
        ------
        BlockedError
            ``signing.trust`` says whom to trust.
        ConfigError
            The file holds no public EC key.
        """
        if self.pinned:
            raise BlockedError(
                "signing.trust says whom to trust, and the state folder cannot add to it",
                seen=str(file),
                remedy="Add the file or its fingerprint to signing.trust in gleis.toml.",
                field="signing.trust",
            )
        key = read_public(file)
        self._add(key, key.pem)
        return key

    def take_in(self, pem: bytes) -> Path | None:
        """Keep a public key that came with packages; return its file, unless it is trusted.

        Where packages come from proves nothing about whose key it is: it becomes trusted only if
        ``signing.trust`` names its fingerprint.

        Raises
        ------
        ConfigError
            It is not a public EC key.
        StoreError
            It cannot be kept.
        """
        key = parse_public("pulled.pub", pem)
        if key.fingerprint in self._settings.trust:
            self._add(key, pem)
            return None
        # Of pinned fingerprints others may still be on their way: only files can be read for sure.
        files = [entry for entry in self._settings.trust if not _FINGERPRINT.fullmatch(entry)]
        trusted = map(self._pinned, files) if self.pinned else self._known()
        if key.fingerprint in {known.fingerprint for known in trusted}:
            return None
        place = self._keys / _OFFERED / f"{key.fingerprint[:16]}.pub"
        try:
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            place.write_bytes(pem)
        except OSError as error:
            raise StoreError(
                f"A public key cannot be kept: {error.strerror or error}",
                seen=str(place),
                remedy="Make the folder writable.",
            ) from error
        return place

    def offered(self) -> list[Path]:
        """Return the files of keys that came with packages and are not trusted."""
        trusted = {key.fingerprint for key in self.trusted()}
        files = sorted((self._keys / _OFFERED).glob("*.pub"))
        return [file for file in files if read_public(file).fingerprint not in trusted]

    def _add(self, key: PublicKey, pem: bytes) -> None:
        folder = self._keys / "trusted"
        place = folder / f"{key.name}-{key.fingerprint[:16]}.pub"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = place.with_suffix(".draft")
            draft.write_bytes(pem)
            shutil.move(draft, place)
        except OSError as error:
            raise StoreError(
                f"The public key cannot be kept: {error.strerror or error}",
                seen=str(place),
                remedy="Make the folder writable, or name the key in signing.trust.",
            ) from error

    def _known(self) -> list[PublicKey]:
        own = self.public()
        found = {} if own is None else {own.fingerprint: own}
        for path in sorted((self._keys / "trusted").glob("*.pub")):
            key = read_public(path)
            found.setdefault(key.fingerprint, key)
        return list(found.values())

    def _pinned(self, entry: str) -> PublicKey:
        """Read a file; or find a fingerprint's key in the state folder, which cannot forge it."""
        if not _FINGERPRINT.fullmatch(entry):
            return read_public(self._project / entry)
        found = {key.fingerprint: key for key in self._known()}
        if entry not in found:
            raise ConfigError(
                "signing.trust names a fingerprint, and its public key is not here",
                seen=entry,
                remedy=f"Copy its .pub file to {self._keys / 'trusted'}.",
                field="signing.trust",
            )
        return found[entry]

    def _passphrase(self) -> str | None:
        name = self._settings.passphrase_from
        if name is None:
            return None
        passphrase = os.environ.get(name)
        if not passphrase:
            raise ConfigError(
                "The environment variable with the key's passphrase is not set",
                seen=name,
                remedy="Set it, or take signing.passphrase_from out for a key without one.",
                field="signing.passphrase_from",
            )
        return passphrase


def trust_around(package: Path) -> Trust:
    """Return whom to trust where a package is loaded without its project, as MLflow does.

    A package in the state folder of a project: whom the project trusts. One in a state folder
    alone: the keys in it. Anywhere else: the public keys that ``GLEIS_SIGNING__TRUST`` names, as
    ``signing.trust`` would; else nobody.

    Parameters
    ----------
    package : Path
        Folder of the package.

    Raises
    ------
    ConfigError
        A key that is named cannot be read.
    """
    state = package.resolve().parent.parent
    if (state.parent / FILE).is_file():
        settings = load_settings(state.parent).signing
        return KeyRing(settings, state.parent, state / "keys").trust()
    named = os.environ.get(_TRUST)
    entries = () if named is None else parse_value(named)
    entries = (entries,) if isinstance(entries, str) else tuple(map(str, entries))
    return KeyRing(SigningSettings(trust=entries), Path.cwd(), state / "keys").trust()
