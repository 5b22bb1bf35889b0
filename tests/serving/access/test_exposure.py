from __future__ import annotations

import pytest

from gleis.contracts.errors import ConfigError
from gleis.serving.access.exposure import check_exposure
from gleis.serving.run import bind


@pytest.mark.parametrize(
    ("host", "guarded", "consented", "starts"),
    [
        ("127.0.0.1", False, False, True),
        ("127.9.9.9", False, False, True),
        ("localhost", False, False, True),
        ("0.0.0.0", False, False, False),
        ("0.0.0.0", True, False, True),
        ("0.0.0.0", False, True, True),
        ("", False, False, False),
    ],
)
def test_others_reach_only_a_service_that_asks_for_keys(host, guarded, consented, starts):
    with bind(host, 0) as listening:
        if starts:
            check_exposure(listening, guarded=guarded, consented=consented)
            return
        with pytest.raises(ConfigError, match="answer everybody") as caught:
            check_exposure(listening, guarded=guarded, consented=consented)
    assert "gleis access new" in caught.value.remedy
    assert caught.value.field == "serve.host"
