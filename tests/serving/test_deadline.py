from __future__ import annotations

import asyncio
import threading

import pytest

from gleis.serving.deadline import Deadline


def test_it_returns_and_raises_what_the_function_does():
    async def ask():
        deadline = Deadline(5)
        assert await deadline.run(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await deadline.run(lambda: 1 / 0)

    asyncio.run(ask())


def test_nobody_waits_for_what_hangs_and_too_many_are_refused():
    release = threading.Event()

    async def ask():
        deadline = Deadline(0.05, most=2)
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await deadline.run(release.wait)
        release.set()
        for _ in range(500):
            try:
                return await deadline.run(lambda: "back")
            except TimeoutError:
                await asyncio.sleep(0.01)
        return "never"

    assert asyncio.run(ask()) == "back"
