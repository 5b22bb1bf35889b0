"""Bad input at the command line: one clear error with field, value and remedy; nothing is lost."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys

import pytest

from commands import gleis
from gleis import Project
from trained_projects import copied, edit, trained

IRIS = {"sepal_length": 5.0, "sepal_width": 3.0, "petal_length": 4.2, "petal_width": 1.3}
VISIT = {"price": 10.0, "pages": 4, "channel": "web"}
FILES = {"iris": ("gleis.toml", "iris.py"), "shifting": ("gleis.toml", "shifting.py")}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A copy of each project for this module; every test leaves the files as they were."""
    room = tmp_path_factory.mktemp("bad")
    return {name: copied(room / name, name) for name in FILES}


@pytest.fixture
def iris(folders):
    """An iris project that still works when the test is over."""
    yield folders["iris"]
    mend_and_check(folders["iris"], "iris")


@pytest.fixture
def shifting(folders):
    """A project with times, ids and categories that still works when the test is over."""
    yield folders["shifting"]
    mend_and_check(folders["shifting"], "shifting")


def mend_and_check(folder, name):
    """Put the files back: champion, dataset version 1 and every logged prediction are there."""
    for file in FILES[name]:
        shutil.copy(trained(name) / file, folder / file)
    project = Project.open(folder)
    champion = project.registry.deployments.champion().version
    assert champion == Project.open(trained(name)).registry.get("v2")
    first = project.data.get(1)
    assert project.data.read(1).height == first.rows
    assert first == Project.open(trained(name)).data.get(1)
    counted = project.home.log.counts().predictions
    assert counted == sum(entry.batch.rows for entry in project.home.log.read())
    answer = gleis(folder, "predict", json.dumps(IRIS if name == "iris" else VISIT), "--json").json
    assert answer["predictions"][0]["version"] == 2
    assert gleis(folder, "doctor").code == 0
    project.home.close()


def refused(said, code, *needles, field=...):
    """Check the one error of a command run with ``--json``."""
    assert said.code == code, said.out + said.err
    assert said.err == ""
    error = said.json["error"]
    text = f"{error['what']}: {error['seen']}"
    for needle in needles:
        assert needle in text, text
    assert error["remedy"], text
    assert "Traceback" not in text
    if field is not ...:
        assert error["field"] == field
    return error


# gleis.toml -----------------------------------------------------------------------------------

SETTINGS = [
    ('target = "species"\n', "", "project.target", ["project.target is missing"]),
    ("[params]", "[parms]", "parms", ["line 8", "'C': 1.0"]),
    ('task   = "m', 'taks = 3\ntask   = "m', "project.taks", ["line 4", "3"]),
    ("test = 0.3", "test = [1]", "split.test", ["line 13", "[1]"]),
    ("test = 0.3", "test = 1.3", "split.test", ["1.3"]),
    ('"multiclass"', '"clustering"', "project.task", ["'clustering'", "multiclass"]),
    ("[gates]", "[gates", None, ["line 15"]),
    ('id     = "plant"', 'id     = "species"', "project.target", ["'species'"]),
    ('by   = "random"', 'by   = "time"', "project.time", ["project.time"]),
    ("accuracy = ", "acuracy = ", "gates.acuracy", ["'acuracy'"]),
    ('">= 0.8"', '"at least 0.8"', "gates.accuracy", ["'at least 0.8'"]),
]


@pytest.mark.parametrize(("old", "new", "field", "needles"), SETTINGS)
def test_a_wrong_key(iris, old, new, field, needles):
    edit(iris / "gleis.toml", old, new)
    refused(gleis(iris, "run", "--json"), 2, *needles, field=field)


@pytest.mark.parametrize("column", ["species", "plant"])
def test_a_target_or_an_id_among_the_features(iris, column):
    edit(iris / "gleis.toml", "[gates]", f'[features]\ninclude = ["{column}"]\n\n[gates]')
    refused(gleis(iris, "run", "--json"), 2, repr(column), field="features.include")


def test_a_time_among_the_features(shifting):
    edit(shifting / "gleis.toml", "[gates]", '[features]\ninclude = ["at"]\n\n[gates]')
    refused(gleis(shifting, "run", "--json"), 2, "time column", "'at'", field="features.include")


def test_a_wrong_flag_is_not_blamed_on_the_file(iris):
    said = gleis(iris, "run", "--set", "project.taget=x", "--json")
    error = refused(said, 2, "flag", "project.taget", "'x'", field="project.taget")
    assert "line" not in error["what"]
    assert "Did you mean target?" in error["remedy"]


def test_a_wrong_variable_is_named_as_it_was_set(iris, monkeypatch):
    monkeypatch.setenv("GLEIS_SERVE__PORT", "many")
    refused(gleis(iris, "run", "--json"), 2, "GLEIS_SERVE__PORT", "'many'", field="serve.port")


# The module -----------------------------------------------------------------------------------

END = 'return rows.with_columns(species=pl.Series(species)).with_row_index("plant")'
TAIL = 'with_row_index("plant")'
DEF = "def load(since, until):"
MODEL = "return make_pipeline(StandardScaler(), LogisticRegression(**params))"

MODULE = [
    (3, "import polars as pl", "import polarz as pl", "project.module", ["iris.py:3", "'polarz'"]),
    (3, "def build_model(params):", "def build_model(params)", None, ["iris.py", "line 19"]),
    (3, DEF, f"1 / 0\n\n\n{DEF}", "project.module", ["iris.py:10", "ZeroDivisionError"]),
    (3, DEF, "def lode(since, until):", "load", ["iris.py", "load"]),
    (3, DEF, "def load():", "load", ["iris.py:10", "load()"]),
    (3, END, "return 1 / 0", "load", ["iris.py:16", "ZeroDivisionError"]),
    (3, END, "return 42", "load", ["'int'"]),
    (3, END, "pass", "load", ["'NoneType'"]),
    (3, MODEL, "return 42", "build_model", ["'int'"]),
    (3, MODEL, "return 1 / 0", "build_model", ["iris.py:21", "ZeroDivisionError"]),
    (3, "    length = pl", "    1 / 0\n    length = pl", "baseline", ["iris.py:26"]),
]


@pytest.mark.parametrize(("code", "old", "new", "field", "needles"), MODULE)
def test_a_module_that_does_not_work(iris, code, old, new, field, needles):
    edit(iris / "iris.py", old, new)
    refused(gleis(iris, "run", "--json"), code, *needles, field=field)


def test_a_module_that_is_not_there(iris):
    edit(iris / "gleis.toml", 'module = "iris"', 'module = "orchids"')
    refused(gleis(iris, "run", "--json"), 3, "orchids.py", field="project.module")


def test_params_that_the_model_does_not_take(iris):
    edit(iris / "gleis.toml", "C = 1.0", "gamma = 1.0")
    error = refused(gleis(iris, "run", "--json"), 3, "'gamma'", "{'gamma': 1.0}")
    assert error["field"] == "build_model"
    assert "[params]" in error["remedy"]


# The rows -------------------------------------------------------------------------------------

ROWS = [
    ("head(0)", "load", ["no rows"]),
    ('drop("species")', "species", ["project.target", "'species'"]),
    ('drop("plant")', "plant", ["project.id", "'plant'"]),
    ("with_columns(petal_width=None)", "petal_width", ["petal_width", "150 rows"]),
    (
        "with_columns(petal_width=pl.lit(None, dtype=pl.Float64))",
        "petal_width",
        ["petal_width", "150 labelled rows"],
    ),
    ("with_columns(species=pl.lit(None, dtype=pl.String))", "species", ["species", "150 rows"]),
    ("with_columns(plant=pl.lit(7))", "plant", ["149 of 150", "[7]"]),
    ("with_columns(plant=pl.lit(None, dtype=pl.Int64))", "plant", ["null", "150 of 150"]),
    ('with_columns(species=pl.lit("setosa"))', "species", ["['setosa']"]),
    ('with_columns(species=pl.col("petal_width"))', "species", ["fractions"]),
    ("with_columns(petal_width=pl.lit(float('inf')))", "petal_width", ["infinite", "inf"]),
    ("with_columns(seen=pl.datetime(2020, 1, 1))", "seen", ["seen is a time", "2020-01-01"]),
    ("with_columns(leaf=pl.lit([1, 2]))", "leaf", ["leaf", "List"]),
    ('select("plant", "species")', "features", ["No feature"]),
    ("head(12)", "species", ["1 classes", "['setosa']"]),
    ("gather_every(9)", "split.test", ["6 labelled rows", "0.3"]),
]


@pytest.mark.parametrize(("change", "field", "needles"), ROWS)
def test_rows_that_cannot_be_used(iris, change, field, needles):
    edit(iris / "iris.py", TAIL, f"{TAIL}.{change}")
    refused(gleis(iris, "run", "--json"), 4, *needles, field=field)


TIMES = [
    ('drop("at")', "at", ["project.time", "'at'"]),
    ('with_columns(pl.col("at").dt.to_string())', "at", ["at holds String", "'2024-"]),
    ("with_columns(at=pl.lit(None, dtype=pl.Datetime))", "at", ["null"]),
    ('with_columns(pl.col("at") + pl.duration(days=90))', "at", ["outside", "'2024-05-"]),
]


@pytest.mark.parametrize(("change", "field", "needles"), TIMES)
def test_times_that_cannot_be_used(shifting, change, field, needles):
    end = "    return rows\n\n\ndef build_model"
    edit(shifting / "shifting.py", end, end.replace("rows", f"rows.{change}"))
    said = gleis(shifting, "run", "--as-of", "2024-02-21", "--json")
    refused(said, 4, *needles, field=field)


def test_a_feature_the_model_cannot_take(iris):
    edit(iris / "iris.py", TAIL, f'{TAIL}.with_columns(petal_width=pl.lit("wide"))')
    refused(gleis(iris, "run", "--json"), 3, "'wide'", field="build_model")


def test_without_json_it_is_one_message_on_stderr(iris):
    edit(iris / "iris.py", TAIL, f"{TAIL}.with_columns(plant=pl.lit(7))")
    said = gleis(iris, "run")
    assert said.code == 4
    what, remedy, *rest = said.err.splitlines()
    assert what.startswith("error: Id column plant repeats: 149 of 150 rows")
    assert remedy.strip().startswith("Drop the copies in load")
    assert rest == []


# Predictions ----------------------------------------------------------------------------------

REQUESTS = [
    ({**IRIS, "petal_width": "wide"}, "petal_width", ["'wide'"]),
    ({**IRIS, "petal_width": True}, "petal_width", ["True"]),
    ({**IRIS, "petal_width": None}, "petal_width", ["None"]),
    ({key: IRIS[key] for key in list(IRIS)[:3]}, "petal_width", ["petal_width is missing"]),
    ({**IRIS, "species": "setosa"}, "species", ["species", "'setosa'"]),
    ([IRIS, {**IRIS, "petal_width": "x"}], "petal_width", ["rows[1]", "'x'"]),
    ([], None, ["no row"]),
    ({}, "sepal_length", ["sepal_length is missing"]),
]


@pytest.mark.parametrize(("rows", "field", "needles"), REQUESTS)
def test_rows_that_cannot_be_answered_leave_no_record(iris, rows, field, needles):
    before = gleis(iris, "status", "--json").json["log"]
    refused(gleis(iris, "predict", json.dumps(rows), "--json"), 9, *needles, field=field)
    assert gleis(iris, "status", "--json").json["log"] == before


@pytest.mark.parametrize(
    ("change", "flag"),
    [
        ({"channel": "fax"}, "channel: unseen category"),
        ({"price": 1e6}, "price: out of range"),
        ({"pages": -3}, "pages: out of range"),
    ],
)
def test_what_training_never_saw_is_served_flagged_and_counted(shifting, change, flag):
    def counted():
        return gleis(shifting, "monitor", "--json").json["monitors"]["flags"].get(flag, 0)

    before = counted()
    said = gleis(shifting, "predict", json.dumps([VISIT, VISIT | change]), "--json")
    usual, unusual = said.json["predictions"]
    assert usual["flags"] == []
    assert flag in unusual["flags"]
    assert 0 <= unusual["score"] <= 1
    assert counted() == before + 1


# Labels ---------------------------------------------------------------------------------------


def test_an_early_label_is_kept_reported_and_joined_when_the_prediction_comes(shifting):
    labels = shifting / "early.json"
    labels.write_text(json.dumps([{"id": 900_001, "label": 1}]))
    receipt = gleis(shifting, "label", "--file", "early.json")
    assert receipt.code == 0
    assert "1 not in the log (yet): 900001" in receipt.out
    waiting = gleis(shifting, "status", "--json").json["log"]
    gleis(shifting, "predict", json.dumps(VISIT | {"visit": 900_001}))
    joined = gleis(shifting, "status", "--json").json["log"]
    assert joined["pending labels"] == waiting["pending labels"] - 1
    assert joined["matched"] == waiting["matched"] + 1


def test_a_label_for_a_prediction_nobody_made_is_kept_and_reported(shifting):
    before = gleis(shifting, "status", "--json").json["log"]
    receipt = gleis(shifting, "label", "77-0-00000000", "1", "--json").json
    assert receipt == {"accepted": 1, "unknown": ["77-0-00000000"], "changed": []}
    after = gleis(shifting, "status", "--json").json["log"]
    assert after["labels"] == before["labels"] + 1
    assert after["matched"] == before["matched"]


def test_another_label_for_the_same_prediction_both_are_kept_the_later_counts(shifting):
    said = gleis(shifting, "predict", json.dumps(VISIT), "--json")
    name = said.json["predictions"][0]["prediction_id"]
    assert gleis(shifting, "label", name, "1", "--json").json["changed"] == []
    assert gleis(shifting, "label", name, "1", "--json").json["changed"] == []
    again = gleis(shifting, "label", name, "0")
    assert again.code == 0
    assert f"1 labelled before: {name}" in again.out

    log = Project.open(shifting).home.log
    assert [given.value for given in log.find(name).labels] == ["1", "1", "0"]
    ours = [match for match in log.matched() if match.prediction_id == name]
    assert ours[-1].value == "0"
    assert ours[-1].relabelled
    log.close()


@pytest.mark.parametrize(
    ("label", "field", "needles"),
    [
        ({"id": 1, "label": "perhaps"}, "label", ["'perhaps'"]),
        ({"id": 1}, "label", ["None"]),
        ({"label": 1}, "prediction_id", ["names nothing"]),
        ({"id": 1, "label": 1, "when": "today"}, "when", ["'today'"]),
    ],
)
def test_a_wrong_label_keeps_none_of_its_file(shifting, label, field, needles):
    before = gleis(shifting, "status", "--json").json["log"]
    (shifting / "labels.json").write_text(json.dumps([{"id": 1, "label": 1}, label]))
    said = gleis(shifting, "label", "--file", "labels.json", "--json")
    refused(said, 9, "[1]: ", *needles, field=field)
    assert gleis(shifting, "status", "--json").json["log"] == before


# Packages, ports, folders ---------------------------------------------------------------------


@pytest.mark.parametrize("file", ["model.skops", "contract.json", "card.md"])
def test_a_damaged_package_answers_nobody_and_the_one_before_still_can(tmp_path, file):
    folder = copied(tmp_path / "iris")
    registry = Project.open(folder).registry
    path = registry.path(registry.get("champion")) / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    for command in (["predict", json.dumps(IRIS)], ["serve", "--port", "0"], ["up", "--port", "0"]):
        refused(gleis(folder, *command, "--json"), 5, file)
    assert gleis(folder, "status", "--json").json["log"]["predictions"] == 0
    assert gleis(folder, "verify", "champion").code == 1
    doctor = gleis(folder, "doctor")
    assert doctor.code == 1
    assert file in doctor.out

    assert gleis(folder, "rollback", "--reason", "damaged").code == 0
    answer = gleis(folder, "predict", json.dumps(IRIS), "--json").json["predictions"][0]
    assert (answer["version"], answer["prediction"]) == (1, "versicolor")


def test_a_package_that_is_gone(tmp_path):
    folder = copied(tmp_path / "iris")
    registry = Project.open(folder).registry
    shutil.rmtree(registry.path(registry.get("champion")))
    refused(gleis(folder, "predict", json.dumps(IRIS), "--json"), 5)


def test_a_port_in_use(iris):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        error = refused(
            gleis(iris, "serve", "--port", str(port), "--json"), 2, str(port), field="serve.port"
        )
        assert "--port" in error["remedy"]


COMMANDS = ["run", "data add", "status", "monitor", "promote v1", "rollback", "serve --port 0"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_state_folder_that_cannot_be_made(tmp_path, monkeypatch, command):
    folder = copied(tmp_path / "iris")
    (folder / "file").write_text("")
    monkeypatch.setenv("GLEIS_STATE", "file/state")
    error = refused(gleis(folder, *command.split(), "--json"), 7, "file/state", field="state")
    assert "GLEIS_STATE" in error["remedy"]


def _may_mount() -> bool:
    unshare = shutil.which("unshare")
    if unshare is None:
        return False
    return (
        subprocess.run([unshare, "-rm", "true"], capture_output=True, check=False).returncode == 0
    )


@pytest.mark.skipif(not _may_mount(), reason="mounting needs user namespaces")
@pytest.mark.parametrize("command", ["run", "label 1-0-00000000 setosa"])
def test_a_read_only_state_folder(tmp_path, command):
    folder = copied(tmp_path / "iris")
    script = (
        "mount --bind .gleis .gleis && mount -o remount,bind,ro .gleis && "
        f"exec {sys.executable} -m gleis {command}"
    )
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 7, done.stderr
    assert "Read-only file system" in done.stderr
    assert str(folder / ".gleis") in done.stderr
    assert "GLEIS_STATE" in done.stderr
    assert "Traceback" not in done.stderr
    mend_and_check(folder, "iris")
