"""Every reason to refuse a package, one by one, at the door that serving and batches use.

What is wrong with a signature itself is in ``test_signature.py``, held against OpenSSF's verifier.
Here the attacks on contents are signed by a trusted key, as an insider's or a broken tool's would
be: the signature must not be the only guard.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import shutil
import stat
import zipfile
from pathlib import Path

import msgspec
import numpy as np
import pytest
import scipy.sparse

from gleis.contracts.errors import PackageError
from gleis.packaging.build import build_package, sign_again
from gleis.packaging.contents import PICKLES, check_contents
from gleis.packaging.keys import Trust
from gleis.packaging.load import load_package
from gleis.packaging.manifest import FILES, MANIFEST, Manifest, describe
from gleis.packaging.signature import SIGNATURE
from gleis.packaging.verify import verify
from signing_keys import SIGNER, STRANGER, TRUST


class Evil:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.fixture(scope="module")
def built(parts, tmp_path_factory):
    return build_package(parts("linear"), tmp_path_factory.mktemp("packages"), SIGNER)


@pytest.fixture
def folder(built, tmp_path):
    """A copy to attack."""
    return Path(shutil.copytree(built.path, tmp_path / built.path.name))


@pytest.fixture
def refused(folder, built, tmp_path):
    """Assert that the folder is refused by every door, for a reason, and that nothing ran."""

    def check(reason, *, trust=TRUST, digest=built.digest):
        with pytest.raises(PackageError, match=reason) as caught:
            load_package(folder, digest, trust)
        assert caught.value.remedy, "it says what to do"
        verified = verify(folder, digest, trust)
        assert not verified.ok
        assert not any(check.name == "scores" for check in verified.checks), "no model was made"
        assert not (tmp_path / "ran").exists()

    return check


def test_the_untouched_copy_is_not_refused(folder, built):
    assert load_package(folder, built.digest, TRUST).signed.key == "tests"
    assert verify(folder, built.digest, TRUST).ok


@pytest.mark.parametrize("name", sorted({*FILES, MANIFEST, SIGNATURE}))
def test_one_changed_byte_in_any_file(folder, built, name):
    path = folder / name
    if not path.exists():
        pytest.skip("not a file of this package")
    content = path.read_bytes()
    for place in {0, len(content) // 3, len(content) // 2, len(content) - 1}:
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(PackageError) as caught:
            load_package(folder, built.digest, TRUST)
        assert name in str(caught.value) or name == SIGNATURE
    path.write_bytes(content)
    assert load_package(folder, built.digest, TRUST)


def test_an_extra_file(folder, refused):
    (folder / "notes.txt").write_text("harmless")
    refused(r"notes\.txt was added after the package was signed")


def test_a_missing_file(folder, refused):
    (folder / "reference.json").unlink()
    refused(r"reference\.json is missing: it was there when the package was signed")


def test_no_manifest(folder, refused):
    (folder / MANIFEST).unlink()
    refused(r"not a package: it has no manifest\.json")


def test_no_signature(folder, refused):
    (folder / SIGNATURE).unlink()
    refused("is not signed")


def test_a_key_that_is_not_trusted(folder, built, refused):
    sign_again(folder, built.digest, STRANGER)
    refused(f"a key that is not trusted: '{STRANGER.public.fingerprint}'")
    assert load_package(folder, built.digest, Trust.of(STRANGER.public))


def test_nobody_is_trusted(refused):
    refused("a key that is not trusted", trust=Trust.of())


def test_another_package_that_the_same_key_signed(parts, folder, refused):
    """Intact, signed, trusted; and not the one that was approved."""
    other = build_package(parts("rule"), folder.parent / "other", SIGNER)
    shutil.rmtree(folder)
    shutil.copytree(other.path, folder)
    refused("not the package that was approved: its digest is " + other.digest)


def test_a_signature_over_another_package(parts, folder, refused):
    other = build_package(parts("rule"), folder.parent / "other", SIGNER)
    shutil.copy(other.path / SIGNATURE, folder / SIGNATURE)
    refused("signature is of another package")


def test_hashes_and_manifest_made_anew_without_the_key(folder, refused, reseal):
    kept = (folder / SIGNATURE).read_bytes()
    (folder / "card.md").write_text("# Approved by everybody")
    reseal(folder)
    (folder / SIGNATURE).write_bytes(kept)
    refused("signature is of another package: 2 of")


def test_a_manifest_that_contradicts_the_files(folder, refused, reseal):
    manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    files = manifest.files | {"card.md": describe({"card.md": b"another"}).files["card.md"]}
    altered = msgspec.structs.replace(manifest, files=files)
    reseal(folder, manifest=msgspec.json.encode(altered))
    refused(r"card\.md was changed after the package was built")


@pytest.mark.parametrize("name", ["compiled.json", "compiled.npz", "model.json"])
def test_another_form_that_nobody_signed(folder, refused, name):
    (folder / name).write_bytes(b"{}")
    refused(f"{name} was added after the package was signed")


@pytest.mark.parametrize("name", ["compiled.json", "compiled.npz", "model.json"])
def test_another_form_whose_hash_is_not_in_the_manifest(folder, refused, reseal, name):
    (folder / name).write_bytes(b"{}")
    reseal(folder, manifest=(folder / MANIFEST).read_bytes())
    refused(f"{name} is not in the manifest")


def test_a_compiled_form_with_an_array_of_objects(folder, refused, reseal):
    np.savez(folder / "compiled.npz", nodes=np.array([None], dtype=object))
    reseal(folder)
    refused(r"compiled\.npz/nodes\.npy holds an array of Python objects", digest=None)


def test_a_compiled_form_without_its_other_half(folder, refused, reseal):
    np.savez(folder / "compiled.npz", nodes=np.zeros(2))
    reseal(folder)
    refused(r"compiled\.json", digest=None)


def test_a_file_that_no_package_has(folder, refused, reseal):
    (folder / "sitecustomize.py").write_text("import os")
    reseal(folder)
    refused(r"sitecustomize\.py is no file of a package", digest=None)


@pytest.mark.parametrize("kind", ["file", "folder", "outside", "dangling"])
def test_a_link(folder, refused, tmp_path, kind):
    outside = tmp_path / "outside"
    if kind == "folder":
        shutil.move(folder / "tests", outside)
        (folder / "tests").symlink_to(outside)
        refused("tests is a link")
        return
    (folder / "card.md").rename(outside)
    target = {"file": outside, "outside": "../outside", "dangling": "nowhere"}[kind]
    (folder / "card.md").symlink_to(target)
    refused(r"card\.md is a link")


def test_a_link_to_the_package_itself(folder, built, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(PackageError, match="is a link"):
        load_package(tmp_path / "link", built.digest, TRUST)


def test_a_pipe_is_not_waited_for(folder, refused):
    (folder / "card.md").unlink()
    os.mkfifo(folder / "card.md")
    assert stat.S_ISFIFO((folder / "card.md").stat().st_mode)
    refused(r"card\.md is neither a file nor a folder")


@pytest.mark.parametrize("suffix", sorted(PICKLES))
def test_a_pickle_by_its_name(folder, refused, reseal, suffix):
    (folder / f"model{suffix.upper()}").write_bytes(b"anything")
    reseal(folder)
    refused("is a pickle, which runs code when it is read")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", ["card.md", "model.types.json", "tests/rows.json"])
def test_a_pickle_by_its_content(folder, refused, reseal, tmp_path, name, protocol):
    content = pickle.dumps(Evil(tmp_path / "ran"), protocol=protocol)
    (folder / name).write_bytes(content)
    reseal(folder)
    refused(f"{name} holds a pickle", digest=None)


def rezip(path, change):
    """Change the members of an archive."""
    with zipfile.ZipFile(path) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in change(members):
            archive.writestr(name, content)


def saved(array, **options):
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_in_the_model_file_by_content(folder, refused, reseal, tmp_path, protocol):
    evil = pickle.dumps(Evil(tmp_path / "ran"), protocol=protocol)
    rezip(folder / "model.skops", lambda members: [*members, ("more.bin", evil)])
    reseal(folder)
    refused(r"model\.skops/more\.bin holds a pickle", digest=None)


def test_a_pickle_in_the_model_file_by_name(folder, refused, reseal):
    """As torch keeps one in its archives."""
    rezip(folder / "model.skops", lambda members: [*members, ("archive/data.pkl", b"")])
    reseal(folder)
    refused(r"model\.skops/archive/data\.pkl is a pickle", digest=None)


def test_an_array_of_objects_in_the_model_file(folder, refused, reseal, tmp_path):
    evil = saved(np.array([Evil(tmp_path / "ran")], dtype=object), allow_pickle=True)

    def swap(members):
        return [(n, evil if n.endswith(".npy") else content) for n, content in members]

    rezip(folder / "model.skops", swap)
    reseal(folder)
    refused(r"model\.skops/.*\.npy holds an array of Python objects", digest=None)


def test_an_array_of_records_with_objects(folder, refused, reseal):
    records = np.zeros(2, dtype=[("a", "f8"), ("b", "O")])
    evil = saved(records, allow_pickle=True)
    rezip(folder / "model.skops", lambda members: [*members, ("more.npy", evil)])
    reseal(folder)
    refused("array of Python objects", digest=None)


def test_an_array_of_objects_in_an_archive_in_the_model_file(folder, refused, reseal):
    inner = io.BytesIO()
    np.savez(inner, a=np.zeros(3), b=np.array([None], dtype=object))
    rezip(folder / "model.skops", lambda members: [*members, ("more.npz", inner.getvalue())])
    reseal(folder)
    refused(r"model\.skops/more\.npz/b\.npy holds an array of Python objects", digest=None)


def test_two_members_of_one_name(folder, refused, reseal):
    with pytest.warns(UserWarning, match="Duplicate name"):
        rezip(folder / "model.skops", lambda members: [*members, members[0]])
    reseal(folder)
    refused("two members of one name", digest=None)


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "a/../../outside"])
def test_a_member_outside_of_the_archive(folder, refused, reseal, name):
    rezip(folder / "model.skops", lambda members: [*members, (name, b"x")])
    reseal(folder)
    refused("a member outside of itself", digest=None)


def test_archives_without_end(folder, refused, reseal):
    content = b"x"
    for _ in range(5):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("more.zip", content)
        content = buffer.getvalue()
    rezip(folder / "model.skops", lambda members: [*members, ("more.zip", content)])
    reseal(folder)
    refused("archives in archives", digest=None)


def test_a_model_file_that_is_no_archive(folder, refused, reseal):
    (folder / "model.skops").write_bytes(b"not an archive")
    reseal(folder)
    refused(r"model\.skops is damaged", digest=None)


def test_a_member_that_is_damaged(folder, refused, reseal):
    """The archive's own checksum says so."""
    path = folder / "model.skops"
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        place = max(archive.infolist(), key=lambda one: one.file_size).header_offset + 200
    content[place] ^= 0xFF
    path.write_bytes(content)
    reseal(folder)
    refused(r"model\.skops is damaged", digest=None)


def test_a_type_that_is_no_model(folder, refused, reseal):
    (folder / "model.types.json").write_text('["os.system"]')
    reseal(folder)
    refused("type that may not be in a package: 'os.system'", digest=None)


def test_a_package_that_fails_its_own_tests_is_found_by_verify(folder, reseal):
    rows = folder / "tests" / "rows.json"
    text = rows.read_text()
    scores = msgspec.json.decode(text)["scores"]
    rows.write_text(text.replace(str(scores[0]), str(scores[0] + 0.25)))
    reseal(folder)
    verified = verify(folder, None, TRUST)
    assert [check.name for check in verified.checks if not check.passed] == ["scores"]


def test_without_asking_for_a_signature_all_else_is_still_refused(folder, built):
    """``--insecure-dev`` is about who signed, and about nothing else."""
    anybody = Trust(unsigned=True)
    (folder / SIGNATURE).unlink()
    assert load_package(folder, built.digest, anybody).signed is None
    with pytest.raises(PackageError, match="not the package that was approved"):
        load_package(folder, "0" * 64, anybody)
    (folder / "card.md").write_text("changed")
    with pytest.raises(PackageError, match="was changed"):
        load_package(folder, built.digest, anybody)


def test_signing_again_needs_the_package_that_was_registered(folder, built):
    (folder / "card.md").write_text("changed")
    before = (folder / SIGNATURE).read_bytes()
    with pytest.raises(PackageError, match="was changed"):
        sign_again(folder, built.digest, STRANGER)
    assert (folder / SIGNATURE).read_bytes() == before


def test_what_is_harmless_passes():
    sparse = io.BytesIO()
    scipy.sparse.save_npz(sparse, scipy.sparse.eye(3, format="csr"))
    text = np.array(["a", "b"])
    check_contents(
        {
            "card.md": b"# A card.\n\nIt ends with a full stop.",
            "requirements.txt": b"altair==6.0\nnumpy==2.4.1\n",
            "empty.json": b"",
            "a.npy": saved(np.zeros((2, 3))),
            "b.npy": saved(text),
            "c.npz": sparse.getvalue(),
            "words.txt": pickle.dumps([1, "a", None], protocol=0),
        }
    )


@pytest.mark.parametrize(
    "content", [b"", b"\x93NUMPY", b"\x93NUMPY\x09\x00", saved(np.zeros(2))[:20]]
)
def test_a_damaged_array(content):
    with pytest.raises(PackageError, match=r"a\.npy is damaged"):
        check_contents({"a.npy": content})


def test_an_onnx_model_goes_through_its_own_audit():
    with pytest.raises(PackageError, match=r"model\.onnx is no ONNX model"):
        check_contents({"model.onnx": hashlib.sha256().digest()})
