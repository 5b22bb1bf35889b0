from __future__ import annotations

import pytest

from gleis.contracts.errors import PackageError
from gleis.packaging.trust import check_trusted

GOOD = [
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
    "sklearn.calibration._CalibratedClassifier",
    "collections.OrderedDict",
    "numpy.dtype",
]
BAD = [
    "os.system",
    "builtins.eval",
    "numpy.load",
    "sklearn.base.clone",
    "sklearn.base",
    "sklearn.datasets._base.Bunch",
    "sklearn.no_such_module",
    "sklearnfake.Evil",
    "scipy.io._netcdf.netcdf_file",
    "subprocess.Popen",
    "",
]


@pytest.mark.parametrize("name", GOOD)
def test_classes_of_modelling_libraries_pass(name):
    check_trusted([name])


@pytest.mark.parametrize("name", BAD)
def test_everything_else_is_refused_by_name(name):
    with pytest.raises(PackageError) as caught:
        check_trusted([*GOOD, name])
    assert caught.value.seen == repr(name)


def test_a_library_that_is_not_installed_is_named():
    with pytest.raises(PackageError, match="cannot be imported"):
        check_trusted(["catboost.core.CatBoostClassifier"])
