from __future__ import annotations

import pytest

from gleis.config.load import load_settings
from gleis.contracts.errors import ConfigError

MINIMAL = """
[project]
name = "punctuality"
module = "punctuality"
task = "binary"
target = "late"
time = "departs_at"
"""


def write(folder, text):
    (folder / "gleis.toml").write_text(text)
    return folder


def test_defaults(tmp_path):
    settings = load_settings(write(tmp_path, MINIMAL), environment={})
    assert settings.split.by == "random"
    assert settings.serve.port == 8000
    assert settings.gates == {}


def test_flag_beats_environment_beats_file(tmp_path):
    folder = write(tmp_path, MINIMAL + "[serve]\nport = 1\n")
    environment = {"GLEIS_SERVE__PORT": "2", "GLEIS_SERVE__HOST": "0.0.0.0", "OTHER": "x"}
    assert load_settings(folder, environment={}).serve.port == 1
    assert load_settings(folder, environment=environment).serve.port == 2
    assert load_settings(folder, environment=environment).serve.host == "0.0.0.0"
    assert load_settings(folder, {"serve.port": 3}, environment).serve.port == 3


@pytest.mark.parametrize(
    ("text", "needle"),
    [
        (MINIMAL + "[sreve]\nport = 1\n", "line 8"),
        (MINIMAL + "[serve]\nprot = 1\n", "line 9"),
        (MINIMAL + '[triggers]\ndrift = { false_alarm = "1 per year" }\n', "line 9"),
        (MINIMAL.replace('target = "late"\n', ""), "target"),
        (MINIMAL.replace('"binary"', '"binray"'), "line 5"),
        (MINIMAL + "[serve]\nport = 'x'\n", "serve.port"),
        (MINIMAL + "[serve]\nport = 99999\n", "99999"),
        (MINIMAL + '[project.label_delay]\nx = "6x"\n', "label_delay"),
        (MINIMAL + '[split]\nby = "time"\ntest = "14x"\n', "14x"),
        (MINIMAL + '[split]\nby = "random"\ntest = "14d"\n', "14d"),
        (MINIMAL + '[split]\nby = "group"\n', "split.group"),
        (MINIMAL + "[split]\ntest = 1.5\n", "1.5"),
        (MINIMAL + '[features]\ninclude = ["late"]\n', "late"),
        (MINIMAL + '[features]\ninclude = ["departs_at"]\n', "departs_at"),
        (MINIMAL + '[triggers]\nschedule = "0 3 1"\n', "0 3 1"),
        (MINIMAL + '[triggers]\ndrift = { false_alarms = "often" }\n', "often"),
        (MINIMAL + "[serve]\nworkers = 0\n", "serve.workers"),
        (MINIMAL + "[evidence.measurement_error]\ntemp = 0\n", "measurement_error.temp"),
        (MINIMAL + "[evidence.measurement_error]\ntemp = nan\n", "measurement_error.temp"),
        (MINIMAL + '[serve]\ntimeout = "soon"\n', "soon"),
        (MINIMAL + '[serve]\ntimeout = "0s"\n', "serve.timeout"),
        (MINIMAL + '[serve]\noutliers = "drop"\n', "serve.outliers"),
        (MINIMAL + '[evidence]\noutliers = "few"\n', "few"),
        (MINIMAL + '[evidence]\noutlier_method = "isolation"\n', "mean isolation_forest?"),
        (MINIMAL + '[evidence]\ngroups = "machine"\n', "evidence.groups"),
        (MINIMAL + '[evidence]\ngroups = ["late"]\n', "evidence.groups holds the target"),
        (MINIMAL + '[features]\navailable_at = { fare = "6x" }\n', "available_at.fare"),
        (MINIMAL + '[features]\navailable_at = { fare = "-6h" }\n', "'-6h'"),
        (MINIMAL + '[features]\navailable_at = { fare = "" }\n', "neither a duration nor"),
        (
            MINIMAL.replace('time = "departs_at"\n', "")
            + '[features]\navailable_at = { fare = "paid" }\n',
            "needs project.time",
        ),
        (MINIMAL + '[evidence]\noutliers = "5 in 4"\n', "5 in 4"),
        (MINIMAL + '[serve]\nrequest_timeout = "0s"\n', "request_timeout"),
        (MINIMAL + "[serve]\nmax_connections = 0\n", "max_connections"),
        (MINIMAL + '[serve]\ntls_cert = "x.pem"\n', "serve.tls_key"),
        (MINIMAL + '[serve]\ntls_clients = "x.pem"\n', "serve.tls_cert"),
        (MINIMAL + '[access]\nrate = "fast"\n', "fast"),
        (MINIMAL + '[access]\nissuer = "https://a.example"\n', "access.audience"),
        (MINIMAL + '[access]\njwks = "keys.json"\n', "access.issuer"),
        (MINIMAL + '[access]\nissuer = "http://a.example"\naudience = "x"\n', "https"),
        (MINIMAL + '[fairness]\nprotected = ["late"]\n', "names the target"),
        (MINIMAL + '[fairness]\nprotected = ["sex", "sex"]\n', "twice"),
        (MINIMAL + '[fairness]\nprotected = ["age"]\nbands = { age = [40, 25] }\n', "rising"),
        (MINIMAL + '[fairness]\nprotected = ["age"]\nbands = { age = [] }\n', "rising"),
        (MINIMAL + "[fairness]\nbands = { age = [25] }\n", "not protected"),
        (MINIMAL + "[fairness]\nmin_group = 0\n", "min_group"),
        (
            MINIMAL.replace('"binary"', '"regression"') + '[fairness]\nfavourable = "yes"\n',
            "regression has none",
        ),
        ("[project\n", "TOML"),
    ],
)
def test_bad_settings_name_field_value_or_line(tmp_path, text, needle):
    with pytest.raises(ConfigError, match=needle):
        load_settings(write(tmp_path, text), environment={})


def test_no_file(tmp_path):
    with pytest.raises(ConfigError, match=r"gleis\.toml"):
        load_settings(tmp_path, environment={})
