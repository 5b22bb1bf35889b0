"""Ours and OpenSSF's signatures are the same: each verifies and refuses what the other does."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import model_signing
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gleis.contracts.errors import PackageError
from gleis.packaging.build import build_package
from gleis.packaging.keys import Signer, Trust, read_public, write_key
from gleis.packaging.sealed import read_sealed
from gleis.packaging.second_opinion import ask_library
from gleis.packaging.signature import MLFLOW_NOTE, SIGNATURE, check_signature, sign
from signing_keys import SIGNER, STRANGER, TRUST

CLI = [sys.executable, "-m", "model_signing"]


@pytest.fixture(scope="module")
def package(parts, tmp_path_factory):
    return build_package(parts("rule"), tmp_path_factory.mktemp("packages"), SIGNER)


@pytest.fixture
def copy(package, tmp_path):
    """A copy of the package to attack."""
    return Path(shutil.copytree(package.path, tmp_path / package.path.name))


@pytest.fixture
def key_files(tmp_path):
    folder = tmp_path / "keys"
    write_key(folder / "signing.pem", SIGNER)
    return folder / "signing.pem", folder / "signing.pub"


def ours(folder: Path, trust: Trust = TRUST) -> str | None:
    """Why we refuse; None if we accept."""
    try:
        read_sealed(folder, None, trust)
    except PackageError as error:
        return str(error)
    return None


def hashes_of(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in (SIGNATURE, MLFLOW_NOTE)
    }


def statement_of(folder: Path) -> dict:
    bundle = json.loads((folder / SIGNATURE).read_bytes())
    return json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))


def seal_statement(folder: Path, statement: dict, signer: Signer = SIGNER) -> None:
    """Sign a statement of our own making, as only the holder of the key can."""
    payload = json.dumps(statement).encode()
    kind = b"application/vnd.in-toto+json"
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    bundle = json.loads((folder / SIGNATURE).read_bytes())
    envelope = bundle["dsseEnvelope"]
    envelope["payload"] = base64.b64encode(payload).decode()
    envelope["signatures"][0]["sig"] = base64.b64encode(signer.sign(message)).decode()
    bundle["verificationMaterial"]["publicKey"]["hint"] = signer.public.fingerprint
    (folder / SIGNATURE).write_text(json.dumps(bundle, separators=(",", ":")))


def root(resources: list[dict]) -> str:
    return hashlib.sha256(b"".join(bytes.fromhex(r["digest"]) for r in resources)).hexdigest()


@pytest.mark.parametrize("kind", ["rule", "linear", "forest"])
def test_the_stock_command_verifies_what_we_sign(parts, tmp_path, key_files, kind):
    folder = build_package(parts(kind), tmp_path / "packages", SIGNER).path
    command = [*CLI, "verify", "key", "--signature", str(folder / SIGNATURE)]
    command += ["--public_key", str(key_files[1]), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "card.md").write_text("changed")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "card.md" in done.stdout + done.stderr


@pytest.mark.parametrize(
    "curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda c: c.name
)
def test_we_verify_what_the_stock_command_signs(copy, tmp_path, curve):
    signer = Signer(ec.generate_private_key(curve), "key")
    write_key(tmp_path / "key.pem", signer)
    (copy / SIGNATURE).unlink()
    command = [*CLI, "sign", "key", "--private_key", str(tmp_path / "key.pem")]
    command += ["--signature", str(copy / SIGNATURE), str(copy)]
    subprocess.run(command, capture_output=True, check=True)
    assert ours(copy, Trust.of(read_public(tmp_path / "key.pub"))) is None
    assert "not trusted" in (ours(copy) or "")


def test_a_fingerprint_is_the_files_hash_and_the_librarys_hint(copy, key_files):
    hint = json.loads((copy / SIGNATURE).read_bytes())["verificationMaterial"]["publicKey"]["hint"]
    assert hint == SIGNER.public.fingerprint
    assert hint == hashlib.sha256(key_files[1].read_bytes()).hexdigest()


def test_our_bytes_are_the_librarys_but_for_the_signature(copy, key_files):
    """The same statement in the same envelope; only ECDSA's own nonce differs."""
    mine = json.loads((copy / SIGNATURE).read_bytes())
    names = hashes_of(copy)
    config = model_signing.hashing.Config().set_ignored_paths(
        paths=[SIGNATURE, MLFLOW_NOTE], ignore_git_paths=False
    )
    signer = model_signing.signing.Config().use_elliptic_key_signer(private_key=key_files[0])
    signer.set_hashing_config(config).sign(copy, copy / SIGNATURE)
    theirs = json.loads((copy / SIGNATURE).read_bytes())
    assert _shape(mine) == _shape(theirs)
    assert _statement(mine) == _statement(theirs)
    assert len(_statement(mine)["predicate"]["resources"]) == len(names)


def _shape(bundle: dict) -> str:
    envelope = bundle["dsseEnvelope"] | {"payload": "", "signatures": [{"sig": "", "keyid": ""}]}
    return json.dumps(bundle | {"dsseEnvelope": envelope})


def _statement(bundle: dict) -> dict:
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    statement["predicate"]["serialization"]["ignore_paths"].sort()
    return statement


def change_a_byte(folder):
    content = bytearray((folder / "contract.json").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "contract.json").write_bytes(content)


def change_the_manifest(folder):
    path = folder / "manifest.json"
    path.write_bytes(path.read_bytes() + b"\n")


def add_a_file(folder):
    (folder / "tests" / "more.json").write_text("{}")


def remove_a_file(folder):
    (folder / "card.md").unlink()


def link_a_file(folder):
    outside = folder.parent / "outside"
    (folder / "card.md").rename(outside)
    (folder / "card.md").symlink_to(outside)


def swap_two_files(folder):
    one, two = folder / "baseline.json", folder / "contract.json"
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


def empty_signature(folder):
    (folder / SIGNATURE).write_bytes(b"")


def no_signature(folder):
    (folder / SIGNATURE).unlink()


def sign_as_a_stranger(folder):
    (folder / SIGNATURE).write_bytes(sign(hashes_of(folder), folder.name, STRANGER))


def sign_as_a_stranger_under_a_trusted_name(folder):
    sign_as_a_stranger(folder)
    path = folder / SIGNATURE
    text = path.read_text().replace(STRANGER.public.fingerprint, SIGNER.public.fingerprint)
    path.write_text(text)


def bundle(change):
    """An attack that changes the bundle."""

    def attack(folder):
        found = json.loads((folder / SIGNATURE).read_bytes())
        change(found)
        (folder / SIGNATURE).write_text(json.dumps(found, separators=(",", ":")))

    return attack


def other_payload(found):
    payload = base64.b64decode(found["dsseEnvelope"]["payload"])
    forged = payload.replace(b"card.md", b"cord.md")
    found["dsseEnvelope"]["payload"] = base64.b64encode(forged).decode()


def other_media_type(found):
    found["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1"


def other_payload_type(found):
    found["dsseEnvelope"]["payloadType"] = "text/plain"


def no_signatures(found):
    found["dsseEnvelope"]["signatures"] = []


def zeroed_signature(found):
    found["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(bytes(70)).decode()


def unknown_field(found):
    found["more"] = {}


def statement(change, *, consistent=True):
    """An attack by whoever holds the key, or by a library with an error."""

    def attack(folder):
        found = statement_of(folder)
        change(found)
        if consistent:
            found["subject"][0]["digest"]["sha256"] = root(found["predicate"]["resources"])
        seal_statement(folder, found)

    return attack


def resources(change):
    return statement(lambda found: change(found["predicate"]["resources"]))


def other_statement_type(found):
    found["_type"] = "https://in-toto.io/Statement/v0.1"


def other_predicate_type(found):
    found["predicateType"] = "https://slsa.dev/provenance/v1"


def two_subjects(found):
    found["subject"] *= 2


def other_digest(found):
    found["subject"][0]["digest"]["sha256"] = "0" * 64


def drop_first(found):
    del found[0]


def traverse(found):
    found.append(dict(found[0], name="../outside"))


def absolute(found):
    found.append(dict(found[0], name="/etc/hostname"))


def a_hash_too_short(found):
    found[0]["digest"] = found[0]["digest"][:32]


def unknown_method(found):
    found["predicate"]["serialization"]["method"] = "tensors"


BOTH_REFUSE = {
    "a changed byte": (change_a_byte, "contract.json was changed after"),
    "a changed manifest": (change_the_manifest, "manifest.json was changed after"),
    "an added file": (add_a_file, "more.json was added after"),
    "a missing file": (remove_a_file, "card.md is missing"),
    "a link": (link_a_file, "card.md is a link"),
    "two files swapped": (swap_two_files, "baseline.json was changed after"),
    "an empty signature": (empty_signature, "model.sig cannot be read"),
    "no signature": (no_signature, "not signed"),
    "a stranger's signature": (sign_as_a_stranger, "a key that is not trusted"),
    "a false name": (sign_as_a_stranger_under_a_trusted_name, "not one of the key it names"),
    "another payload": (bundle(other_payload), "not one of the key it names"),
    "another bundle": (bundle(other_media_type), "another kind of signature"),
    "another payload type": (bundle(other_payload_type), "another kind of signature"),
    "no signatures": (bundle(no_signatures), "model.sig cannot be read"),
    "a zeroed signature": (bundle(zeroed_signature), "not one of the key it names"),
    "an unknown field": (bundle(unknown_field), "model.sig cannot be read"),
    "another statement": (statement(other_statement_type), "is not a model"),
    "another predicate": (statement(other_predicate_type), "is not a model"),
    "two subjects": (statement(two_subjects), "contradicts its own digest"),
    "another digest": (statement(other_digest, consistent=False), "contradicts its own digest"),
    "a file left out of the list": (resources(drop_first), "was added after"),
    "a path out of the folder": (resources(traverse), "outside the package"),
    "an absolute path": (resources(absolute), "outside the package"),
    "half a hash": (resources(a_hash_too_short), "not SHA-256"),
    "an unknown method": (statement(unknown_method), "not SHA-256 of whole files"),
}


@pytest.mark.parametrize("name", BOTH_REFUSE)
def test_both_refuse(copy, name):
    attack, reason = BOTH_REFUSE[name]
    assert ours(copy) is None
    assert ask_library(copy, TRUST) is None
    attack(copy)
    assert reason in (ours(copy) or "accepted")
    assert ask_library(copy, TRUST) is not None


def ignore_a_file(found):
    serialization = found["predicate"]["serialization"]
    serialization["ignore_paths"].append("card.md")
    listed = found["predicate"]["resources"]
    listed[:] = [one for one in listed if one["name"] != "card.md"]


def twice(found):
    found.append(dict(found[0]))


def dotted(found):
    found[0]["name"] = f"./{found[0]['name']}"


def spaces(folder):
    path = folder / SIGNATURE
    path.write_text(path.read_text().replace(",", ", "))


def spare_bits(found):
    """Base64 of 70 or 71 bytes has bits that decode to nothing."""
    mark = found["dsseEnvelope"]["signatures"][0]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    body = mark["sig"].rstrip("=")
    mark["sig"] = mark["sig"].replace(body, body[:-1] + alphabet[alphabet.index(body[-1]) ^ 1])


def two_signatures(found):
    found["dsseEnvelope"]["signatures"] *= 2


def note_as_a_folder(folder):
    (folder / MLFLOW_NOTE).mkdir()
    (folder / MLFLOW_NOTE / "more.txt").write_text("more")


WE_ALONE_REFUSE = {
    "a file that the signature ignores": (statement(ignore_a_file), "leaves files out"),
    "a file named twice": (resources(twice), "names a file twice"),
    "a file named in a roundabout way": (resources(dotted), "outside the package"),
    "spaces": (spaces, "model.sig was changed after"),
    "two signatures": (bundle(two_signatures), "model.sig cannot be read"),
    "a folder instead of MLflow's note": (note_as_a_folder, "was added after"),
}
"""Where we are stricter; the other way round there is nothing."""


@pytest.mark.parametrize("name", WE_ALONE_REFUSE)
def test_we_alone_refuse(copy, name):
    attack, reason = WE_ALONE_REFUSE[name]
    attack(copy)
    assert ask_library(copy, TRUST) is None
    assert reason in (ours(copy) or "accepted")


def test_every_byte_of_the_signature_counts(copy):
    """Also those of base64 that decode to nothing, and those of JSON that say nothing."""
    names, path = hashes_of(copy), copy / SIGNATURE
    body = path.read_bytes()
    assert check_signature(body, names, TRUST).key == "tests"
    for place in range(len(body)):
        for flip in (0x01, 0x20):
            altered = body[:place] + bytes([body[place] ^ flip]) + body[place + 1 :]
            with pytest.raises(PackageError):
                check_signature(altered, names, TRUST)


def test_a_signature_that_is_cut_or_longer_is_refused(copy):
    names, body = hashes_of(copy), (copy / SIGNATURE).read_bytes()
    for altered in (body[:-1], body + b"\n", body + body, b"{}", b"[]", b"\xff", b"null"):
        with pytest.raises(PackageError):
            check_signature(altered, names, TRUST)


def test_a_signature_of_another_package(package, parts, tmp_path):
    other = build_package(parts("linear"), tmp_path / "other", SIGNER).path
    shutil.copy(package.path / SIGNATURE, other / SIGNATURE)
    assert "is of another package" in (ours(other) or "accepted")
    assert ask_library(other, TRUST) is not None


def test_a_manifest_made_anew_without_the_key(copy, reseal):
    """Hashes and manifest agree, as anybody can make them; the signature is the one there was."""
    kept = (copy / SIGNATURE).read_bytes()
    (copy / "card.md").write_text("# A better card")
    reseal(copy)
    (copy / SIGNATURE).write_bytes(kept)
    assert "is of another package: 2 of" in (ours(copy) or "accepted")
    assert ask_library(copy, TRUST) is not None


def test_mlflows_note_is_in_nobodys_way(copy):
    (copy / MLFLOW_NOTE).write_text("model_name: shops\n")
    assert ours(copy) is None
    assert ask_library(copy, TRUST) is None


def test_the_right_one_of_several_keys_is_found(copy):
    assert ours(copy, Trust.of(STRANGER.public, SIGNER.public)) is None
    assert ours(copy, Trust.of(STRANGER.public)) is not None
    assert ours(copy, Trust.of()) is not None
    assert ask_library(copy, Trust.of(STRANGER.public, SIGNER.public)) is None
    assert ask_library(copy, Trust.of(STRANGER.public)) is not None


def test_verifying_loads_neither_the_library_nor_what_it_brings(copy):
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from gleis.packaging.sealed import read_sealed\n"
        "from signing_keys import TRUST\n"
        f"print(read_sealed(Path({str(copy)!r}), None, TRUST).signed.key)\n"
        "heavy = {'model_signing', 'sigstore', 'pydantic', 'google.protobuf'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    folder = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=folder, check=True)
    assert done.stdout.strip() == b"tests"
