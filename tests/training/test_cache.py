from __future__ import annotations

import msgspec

from gleis.store.home import Home
from gleis.training.cache import StepCache, key_of


class Made(msgspec.Struct, frozen=True):
    artifact: str

    @property
    def artifacts(self):
        return (self.artifact,)


def test_a_step_is_computed_once_and_again_when_its_artifact_is_gone(tmp_path):
    home = Home(tmp_path)
    calls = []

    def compute():
        calls.append(1)
        return Made(home.artifacts.put(b"model"))

    for _ in range(2):
        cache = StepCache(home.states, home.artifacts.has)
        made = cache.step("fit", "key", Made, compute)
    assert len(calls) == 1
    assert cache.durations == {"fit": 0.0}
    assert cache.find("fit", "other", Made) is None

    gone = StepCache(home.states, lambda digest: False)
    assert gone.step("fit", "key", Made, compute) == made
    assert len(calls) == 2


def test_keys_tell_inputs_apart():
    assert key_of(a={"x": 1, "y": 2}) == key_of(a={"y": 2, "x": 1})
    assert len({key_of(a=1), key_of(a=2), key_of(b=1), key_of(a="1")}) == 4


def test_what_an_earlier_build_kept_in_another_shape_is_computed_anew(tmp_path):
    class Before(msgspec.Struct):
        value: int

    class Now(msgspec.Struct):
        value: int
        more: str

    home = Home(tmp_path)
    cache = StepCache(home.states, home.artifacts.has)
    cache.keep("fit", "k", Before(value=1))
    assert cache.find("fit", "k", Now) is None
    assert cache.step("fit", "k", Now, lambda: Now(value=1, more="x")) == Now(value=1, more="x")
    assert cache.find("fit", "k", Now) == Now(value=1, more="x")
