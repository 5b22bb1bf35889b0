import numpy as np
import pytest

from gleis.contracts.errors import StoreError
from gleis.monitoring.packing import pack, unpack


def test_arrays_come_back_exactly_and_writable():
    arrays = {
        "a": np.array([[1.5, np.nan], [-np.inf, 0.1]]),
        "b": np.arange(6, dtype=np.int64).reshape(2, 3)[:, ::2],
        "c": np.array(7),
        "d": np.array([1, 2], dtype=">i4"),
    }
    back = unpack(pack(arrays))
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name], array)
        assert back[name].shape == array.shape
        assert back[name].flags.writeable


@pytest.mark.parametrize("content", [b"", b"nonsense", pack({"a": np.arange(3)})[:-1]])
def test_damaged_bytes_are_refused(content):
    with pytest.raises(StoreError, match="damaged"):
        unpack(content)
