from __future__ import annotations

import stat
import subprocess
import sys
import threading

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from gleis.config.settings import SigningSettings
from gleis.contracts.errors import BlockedError, ConfigError, StoreError
from gleis.packaging.keyring import KeyRing, trust_around
from gleis.packaging.keys import Signer, read_public, read_signer, read_trust, write_key
from signing_keys import SIGNER, STRANGER


def ring(folder, **settings):
    return KeyRing(SigningSettings(**settings), folder, folder / ".gleis" / "keys")


def test_a_key_is_written_for_its_owner_only(tmp_path):
    path = tmp_path / "keys" / "signing.pem"
    write_key(path, SIGNER)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert read_signer(path).public.fingerprint == SIGNER.public.fingerprint
    assert read_public(tmp_path / "keys" / "signing.pub").pem == SIGNER.public.pem
    assert sorted(p.name for p in path.parent.iterdir()) == ["signing.pem", "signing.pub"]


def test_a_key_is_never_overwritten(tmp_path):
    path = tmp_path / "signing.pem"
    write_key(path, SIGNER)
    before = path.read_bytes(), (tmp_path / "signing.pub").read_bytes()
    with pytest.raises(BlockedError, match="never overwritten"):
        write_key(path, STRANGER)
    assert (path.read_bytes(), (tmp_path / "signing.pub").read_bytes()) == before
    assert len(list(tmp_path.iterdir())) == 2


def test_a_passphrase_protects_it(tmp_path):
    path = tmp_path / "signing.pem"
    write_key(path, SIGNER, "open sesame")
    assert b"ENCRYPTED" in path.read_bytes()
    assert read_signer(path, "open sesame").public.fingerprint == SIGNER.public.fingerprint
    with pytest.raises(ConfigError, match="needs a passphrase"):
        read_signer(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_signer(path, "open barley")


def test_a_passphrase_for_a_key_without_one(tmp_path):
    write_key(tmp_path / "signing.pem", SIGNER)
    with pytest.raises(ConfigError, match="has no passphrase"):
        read_signer(tmp_path / "signing.pem", "open sesame")


def _pem(key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "cannot be read"),
        (b"-----BEGIN PRIVATE KEY-----\n", "cannot be read"),
        (_pem(ed25519.Ed25519PrivateKey.generate()), "not an EC key"),
        (_pem(ec.generate_private_key(ec.SECP256K1())), "a curve that"),
        (SIGNER.public.pem, "cannot be read"),
    ],
)
def test_what_is_no_private_ec_key(tmp_path, content, reason):
    (tmp_path / "key.pem").write_bytes(content)
    with pytest.raises(ConfigError, match=reason):
        read_signer(tmp_path / "key.pem")


@pytest.mark.parametrize("content", [b"", SIGNER.to_pem(), b"\xff"])
def test_what_is_no_public_ec_key(tmp_path, content):
    (tmp_path / "key.pub").write_bytes(content)
    with pytest.raises(ConfigError, match="public key cannot be read"):
        read_public(tmp_path / "key.pub")
    with pytest.raises(ConfigError, match="No such file"):
        read_public(tmp_path / "nothing.pub")


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "keys").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        write_key(tmp_path / "keys" / "deep" / "signing.pem", SIGNER)


def test_the_first_opening_makes_a_key_and_the_next_finds_it(tmp_path):
    first, new = ring(tmp_path).open()
    again, made = ring(tmp_path).open()
    assert (new, made) == (True, False)
    assert first.public.fingerprint == again.public.fingerprint
    assert ring(tmp_path).trust().find(first.public.fingerprint) is not None


def test_a_key_that_is_named_is_not_made_unasked(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        ring(tmp_path, key="elsewhere/key.pem").open()
    made = ring(tmp_path, key="elsewhere/key.pem").make()
    signer, new = ring(tmp_path, key="elsewhere/key.pem").open()
    assert (signer.public.fingerprint, new) == (made.fingerprint, False)
    assert (tmp_path / "elsewhere" / "key.pub").is_file()
    assert not (tmp_path / ".gleis").exists()


def test_openings_at_once_agree_on_one_key(tmp_path):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(ring(tmp_path).open())) for _ in "12345"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({signer.public.fingerprint for signer, _ in found}) == 1
    assert [new for _, new in found].count(True) == 1


def test_the_passphrase_comes_from_the_variable_that_is_named(tmp_path, monkeypatch):
    settings = {"passphrase_from": "SHOP_KEY"}
    with pytest.raises(ConfigError, match="is not set"):
        ring(tmp_path, **settings).open()
    monkeypatch.setenv("SHOP_KEY", "open sesame")
    signer, _ = ring(tmp_path, **settings).open()
    monkeypatch.delenv("SHOP_KEY")
    assert b"ENCRYPTED" in ring(tmp_path).path.read_bytes()
    with pytest.raises(ConfigError, match="needs a passphrase"):
        ring(tmp_path).open()
    trust = ring(tmp_path, **settings).trust()
    assert trust.find(signer.public.fingerprint) is not None, "verifying needs no passphrase"


def test_a_rotated_key_signs_no_more_and_stays_trusted(tmp_path):
    keys = ring(tmp_path)
    before = keys.open()[0].public
    private = keys.path.read_bytes()
    after = keys.rotate()
    assert keys.open()[0].public.fingerprint == after.fingerprint != before.fingerprint
    assert {key.fingerprint for key in keys.trusted()} == {before.fingerprint, after.fingerprint}
    kept = list((tmp_path / ".gleis" / "keys" / "former").iterdir())
    assert [path.read_bytes() for path in kept] == [private]
    third = keys.rotate()
    assert len(keys.trusted()) == 3
    assert keys.open()[0].public.fingerprint == third.fingerprint


def test_rotating_nothing_makes_a_key(tmp_path):
    made = ring(tmp_path).rotate()
    assert ring(tmp_path).open()[0].public.fingerprint == made.fingerprint


def test_a_trusted_key_counts_at_once_and_for_the_next_process(tmp_path):
    keys = ring(tmp_path)
    own = keys.open()[0].public
    file = tmp_path / "stranger.pub"
    file.write_bytes(STRANGER.public.pem)
    trust = keys.trust
    assert trust().find(STRANGER.public.fingerprint) is None
    assert keys.add(file).fingerprint == STRANGER.public.fingerprint
    keys.add(file)
    assert trust().find(STRANGER.public.fingerprint) is not None
    expected = [own.fingerprint, STRANGER.public.fingerprint]
    assert [key.fingerprint for key in ring(tmp_path).trusted()] == expected


@pytest.mark.parametrize("by", ["file", "fingerprint"])
def test_once_trust_is_pinned_the_state_folder_adds_nothing(tmp_path, by):
    keys = ring(tmp_path)
    own = keys.open()[0].public
    file = tmp_path / "stranger.pub"
    file.write_bytes(STRANGER.public.pem)
    keys.add(file)
    entry = "stranger.pub" if by == "file" else STRANGER.public.fingerprint
    pinned = ring(tmp_path, trust=(entry,))
    assert [key.fingerprint for key in pinned.trusted()] == [STRANGER.public.fingerprint]
    with pytest.raises(BlockedError, match="cannot add"):
        pinned.add(file)
    with pytest.raises(ConfigError, match="would not load") as caught:
        pinned.open()
    assert own.fingerprint in str(caught.value)


def test_a_pinned_fingerprint_cannot_be_forged_by_another_key(tmp_path):
    """Whoever writes the state folder can take a key away, and not put another in its place."""
    keys = ring(tmp_path)
    own = keys.open()[0].public
    pinned = ring(tmp_path, trust=(own.fingerprint,))
    (tmp_path / ".gleis" / "keys" / "signing.pub").write_bytes(STRANGER.public.pem)
    with pytest.raises(ConfigError, match="its public key is not here"):
        pinned.trust()


@pytest.mark.parametrize("entry", ["gone.pub", "0" * 64])
def test_a_pin_that_leads_nowhere_is_an_error(tmp_path, entry):
    with pytest.raises(ConfigError):
        ring(tmp_path, trust=(entry,)).trust()


def test_keys_of_a_folder_are_read(tmp_path):
    (tmp_path / "a.pub").write_bytes(SIGNER.public.pem)
    (tmp_path / "b.pub").write_bytes(STRANGER.public.pem)
    trust = read_trust([tmp_path / "a.pub", tmp_path / "b.pub"])
    assert [key.name for key in trust.keys] == ["a", "b"]
    assert not trust.unsigned


def test_outside_of_a_project_the_variable_says_whom_to_trust(tmp_path, monkeypatch):
    package = tmp_path / "somewhere" / "package"
    assert trust_around(package).keys == ()
    file = tmp_path / "a.pub"
    file.write_bytes(SIGNER.public.pem)
    for value in (str(file), f'["{file}"]'):
        monkeypatch.setenv("GLEIS_SIGNING__TRUST", value)
        assert [key.name for key in trust_around(package).keys] == ["a"]


def test_in_a_project_its_settings_say_whom_to_trust(tmp_path):
    ring(tmp_path).open()
    (tmp_path / "gleis.toml").write_text(
        '[project]\nname = "p"\nmodule = "p"\ntask = "binary"\ntarget = "y"\n'
        '[signing]\ntrust = ["pinned.pub"]\n'
    )
    (tmp_path / "pinned.pub").write_bytes(STRANGER.public.pem)
    trust = trust_around(tmp_path / ".gleis" / "packages" / "abc")
    assert [key.fingerprint for key in trust.keys] == [STRANGER.public.fingerprint]


def test_keys_are_of_openssls_own_formats(tmp_path):
    """What we write, others read; what others write (SEC 1, PKCS#8), we read."""
    key = ec.generate_private_key(ec.SECP384R1())
    formats = serialization.PrivateFormat
    for kind in (formats.PKCS8, formats.TraditionalOpenSSL):
        path = tmp_path / "key.pem"
        path.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption())
        )
        signer = read_signer(path)
        assert signer.public.verifies(signer.sign(b"x"), b"x")
        assert not signer.public.verifies(signer.sign(b"x"), b"y")


def test_a_fresh_key_is_another_each_time():
    code = "from gleis.packaging.keys import Signer; print(Signer.fresh().public.fingerprint)"
    made = {subprocess.check_output([sys.executable, "-c", code]) for _ in range(2)}
    assert len(made | {Signer.fresh().public.fingerprint.encode()}) == 3
