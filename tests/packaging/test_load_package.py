from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from gleis.contracts.errors import PackageError
from gleis.packaging.build import build_package
from gleis.packaging.load import load_package
from gleis.packaging.manifest import Manifest, describe
from gleis.packaging.rule import RuleModel
from signing_keys import SIGNER, TRUST

TESTS = Path(__file__).parents[1]


@pytest.fixture
def built(parts, tmp_path):
    return build_package(parts("linear"), tmp_path, SIGNER)


@pytest.mark.parametrize("kind", ["boosting", "linear", "forest", "regression", "rule"])
def test_what_was_packed_comes_back(parts, tmp_path, kind):
    made = parts(kind)
    built = build_package(made, tmp_path, SIGNER)
    package = load_package(built.path, built.digest, TRUST)
    assert (package.path, package.digest) == (built.path, built.digest)
    assert package.contract == made.contract
    assert package.baseline.rule == made.baseline
    assert package.reference == made.reference
    assert package.card == made.card
    assert package.requirements == made.requirements.pins
    assert package.examples == made.examples
    assert package.lineage["run"]["id"] == "run-1"
    assert isinstance(package.model, RuleModel) == (kind == "rule")
    scores = package.model.predict(made.examples.features)
    np.testing.assert_allclose(scores, made.examples.scores, rtol=1e-12)


def test_every_byte_counts(built):
    for path in sorted(p for p in built.path.rglob("*") if p.is_file()):
        content = path.read_bytes()
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        with pytest.raises(PackageError):
            load_package(built.path, built.digest, TRUST)
        path.write_bytes(content)
    assert load_package(built.path, built.digest, TRUST)


def test_every_file_is_needed(built):
    for path in sorted(p for p in built.path.rglob("*") if p.is_file()):
        content = path.read_bytes()
        path.unlink()
        with pytest.raises(PackageError, match=r"is missing|no manifest\.json|is not signed"):
            load_package(built.path, None, TRUST)
        path.write_bytes(content)


@pytest.mark.parametrize("name", ["extra.txt", "tests/extra.json", "model.json"])
def test_an_extra_file_is_refused(built, name):
    (built.path / name).write_text("{}")
    with pytest.raises(PackageError, match=f"{name} was added after the package was signed"):
        load_package(built.path, None, TRUST)


def test_a_signed_file_that_the_manifest_does_not_list_is_refused(built, reseal):
    (built.path / "model.json").write_text("{}")
    reseal(built.path, manifest=(built.path / "manifest.json").read_bytes())
    with pytest.raises(PackageError, match=r"model\.json is not in the manifest"):
        load_package(built.path, None, TRUST)


def test_the_note_mlflow_leaves_in_a_package_it_loads_is_not_an_extra_file(built, tmp_path):
    note = built.path / "registered_model_meta"
    note.write_text("model_name: p\nmodel_version: '2'\n")
    assert load_package(built.path, built.digest, TRUST).digest == built.digest
    note.unlink()
    note.symlink_to(tmp_path)
    with pytest.raises(PackageError, match="is a link"):
        load_package(built.path, None, TRUST)
    note.unlink()
    note.mkdir()
    (note / "extra.txt").write_text("")
    with pytest.raises(PackageError, match="was added after the package was signed"):
        load_package(built.path, None, TRUST)


def test_a_file_that_no_package_has_is_refused_even_if_listed(built, reseal):
    (built.path / "extra.py").write_text("print()")
    reseal(built.path)
    with pytest.raises(PackageError, match=r"extra\.py is no file of a package"):
        load_package(built.path, None, TRUST)


@pytest.mark.parametrize("name", ["model.pkl", "tests/a.joblib", "card.md"])
@pytest.mark.parametrize("protocol", [2, 5])
def test_a_pickle_is_refused_under_any_name(built, name, protocol, reseal):
    (built.path / name).write_bytes(pickle.dumps({"a": 1}, protocol=protocol))
    reseal(built.path)
    with pytest.raises(PackageError, match="pickle"):
        load_package(built.path, None, TRUST)


def test_a_link_is_refused(built, tmp_path):
    card = built.path / "card.md"
    card.rename(tmp_path / "card.md")
    card.symlink_to(tmp_path / "card.md")
    with pytest.raises(PackageError, match="is a link"):
        load_package(built.path, None, TRUST)


def test_another_digest_than_asked_for(built):
    with pytest.raises(PackageError, match="not the package that was approved"):
        load_package(built.path, "0" * 64, TRUST)


def test_a_consistent_alteration_is_caught_by_the_digest(built, reseal):
    (built.path / "card.md").write_text("# Another card")
    reseal(built.path)
    assert load_package(built.path, None, TRUST).card == "# Another card"
    with pytest.raises(PackageError, match="not the package that was approved"):
        load_package(built.path, built.digest, TRUST)


def test_a_truncated_model_is_refused(built, reseal):
    model = built.path / "model.skops"
    model.write_bytes(model.read_bytes()[:-100])
    with pytest.raises(PackageError, match="was changed"):
        load_package(built.path, None, TRUST)
    reseal(built.path)
    with pytest.raises(PackageError, match="damaged"):
        load_package(built.path, None, TRUST)


@pytest.mark.parametrize(
    ("types", "message"),
    [("[]", "TreePredictor"), ('["os.system"]', "os.system"), ('"all"', r"model\.types\.json")],
)
def test_unknown_types_are_refused(parts, tmp_path, types, message, reseal):
    folder = build_package(parts("boosting"), tmp_path, SIGNER).path
    (folder / "model.types.json").write_text(types)
    reseal(folder)
    with pytest.raises(PackageError, match=message):
        load_package(folder, None, TRUST)


@pytest.mark.parametrize(
    "name", ["contract.json", "baseline.json", "reference.json", "evidence.json", "tests/rows.json"]
)
@pytest.mark.parametrize("content", ["{", "{}", "\xff"])
def test_broken_contents_are_named(built, name, content, reseal):
    (built.path / name).write_bytes(content.encode("latin-1"))
    reseal(built.path)
    with pytest.raises(PackageError) as caught:
        load_package(built.path, None, TRUST)
    assert caught.value.field == name


def test_a_card_that_is_not_text(built, reseal):
    (built.path / "card.md").write_bytes(b"\xff\xfe")
    reseal(built.path)
    with pytest.raises(PackageError, match=r"card\.md cannot be read"):
        load_package(built.path, None, TRUST)


def test_a_part_that_was_taken_out_is_named(built, reseal):
    (built.path / "evidence.json").unlink()
    reseal(built.path)
    with pytest.raises(PackageError, match=r"no evidence\.json"):
        load_package(built.path, None, TRUST)


@pytest.mark.parametrize("place", ["nothing", "file", "empty"])
def test_not_a_package(tmp_path, place):
    (tmp_path / "file").write_text("a file")
    (tmp_path / "empty").mkdir()
    with pytest.raises(PackageError, match="not a package"):
        load_package(tmp_path / place, None, TRUST)


def test_a_broken_manifest_and_a_later_format(built, reseal):
    path = built.path / "manifest.json"
    manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    later = msgspec.json.encode(msgspec.structs.replace(manifest, format=2))
    reseal(built.path, manifest=later)
    with pytest.raises(PackageError, match="Upgrade"):
        load_package(built.path, None, TRUST)
    reseal(built.path, manifest=b"{")
    with pytest.raises(PackageError, match=r"manifest\.json cannot be read"):
        load_package(built.path, None, TRUST)


def test_a_path_out_of_the_folder_is_refused(built, reseal):
    path = built.path / "manifest.json"
    manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    (built.path.parent / "outside").write_text("secret")
    entry = describe({"x": b"secret"}).files["x"]
    files = manifest.files | {"../outside": entry}
    reseal(built.path, manifest=msgspec.json.encode(msgspec.structs.replace(manifest, files=files)))
    with pytest.raises(PackageError, match="outside"):
        load_package(built.path, None, TRUST)


def test_a_rule_is_served_without_the_heavy_libraries(parts, tmp_path):
    built = build_package(parts("rule"), tmp_path, SIGNER)
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from gleis.packaging.load import load_package\n"
        "from signing_keys import TRUST\n"
        "heavy = {'mlflow', 'pandas', 'sklearn', 'skops', 'polars'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        f"package = load_package(Path({str(built.path)!r}), {built.digest!r}, TRUST)\n"
        "print(package.model.predict({'shop': ['a'], 'new': [True]})[0])\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=TESTS)
    assert done.stdout.strip() == b"0.75"


def test_an_estimator_is_served_without_mlflow(parts, tmp_path):
    built = build_package(parts("boosting"), tmp_path / "packages", SIGNER)
    moved = tmp_path / "moved"
    shutil.move(built.path, moved)
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from gleis.packaging.verify import verify\n"
        "from signing_keys import TRUST\n"
        f"assert verify(Path({str(moved)!r}), {built.digest!r}, TRUST).ok\n"
        "assert 'mlflow' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=TESTS)
