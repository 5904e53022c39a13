"""The virtual clock: time stands still while anybody works, and leaps when all sleep."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from edge_collector.reading import ClockQuality
from edge_collector.simulate.clock import SteppedClock
from edge_collector.system_clock import UNKNOWN, SystemClock, quality_of

START = 1_790_000_000_000


def run(story: Callable[[SteppedClock], Awaitable[None]]) -> None:
    async def told() -> None:
        await asyncio.wait_for(story(SteppedClock(START)), 10)

    asyncio.run(told())


def test_days_pass_at_once() -> None:
    async def story(clock: SteppedClock) -> None:
        await clock.sleep_until(START + 30 * 86_400_000)
        assert clock.now_ms() == START + 30 * 86_400_000
        assert clock.monotonic_ms() == 30 * 86_400_000

    run(story)


def test_sleepers_wake_in_order_of_time() -> None:
    async def story(clock: SteppedClock) -> None:
        seen: list[tuple[str, int]] = []

        async def walker(name: str, step_ms: int) -> None:
            with clock.participant():
                for _ in range(3):
                    await clock.sleep(step_ms)
                    seen.append((name, clock.now_ms() - START))

        await asyncio.gather(walker("slow", 1000), walker("quick", 300))
        assert seen == [("quick", 300), ("quick", 600), ("quick", 900), ("slow", 1000), ("slow", 2000), ("slow", 3000)]

    run(story)


def test_time_stands_still_while_one_waits_for_the_world() -> None:
    async def story(clock: SteppedClock) -> None:
        answered = asyncio.Event()

        async def asks() -> int:
            with clock.participant():
                await answered.wait()
                return clock.now_ms()

        async def sleeps() -> int:
            with clock.participant():
                await clock.sleep(1000)
                return clock.now_ms()

        asking, sleeping = asyncio.create_task(asks()), asyncio.create_task(sleeps())
        await asyncio.sleep(0.02)
        assert not sleeping.done() and clock.now_ms() == START
        answered.set()
        assert await asking == START
        assert await sleeping == START + 1000

    run(story)


def test_one_who_waits_for_another_does_not_hold_time() -> None:
    async def story(clock: SteppedClock) -> None:
        async def sleeps() -> None:
            with clock.participant():
                await clock.sleep(5000)

        with clock.participant():
            task = asyncio.create_task(sleeps())
            with clock.waiting():
                await task
            assert clock.now_ms() == START + 5000

    run(story)


def test_a_bystander_is_woken_but_never_moves_time() -> None:
    async def story(clock: SteppedClock) -> None:
        woken: list[int] = []

        async def stands_by() -> None:
            with clock.bystander():
                await clock.sleep(400)
                woken.append(clock.now_ms())
                await clock.sleep(10_000)

        task = asyncio.create_task(stands_by())
        await asyncio.sleep(0.01)
        assert clock.now_ms() == START
        await clock.sleep(1000)
        assert woken == [START + 400] and clock.now_ms() == START + 1000
        task.cancel()

    run(story)


def test_a_sleep_with_a_timeout_rests_for_the_one_who_waits_for_it() -> None:
    async def story(clock: SteppedClock) -> None:
        with clock.participant():
            await asyncio.wait_for(clock.sleep(60_000), 5)
        assert clock.now_ms() == START + 60_000

    run(story)


def test_one_woken_early_by_an_event_holds_time_again() -> None:
    async def story(clock: SteppedClock) -> None:
        news = asyncio.Event()

        async def waits_for_news_or_a_minute() -> int:
            with clock.participant():
                ways = [asyncio.create_task(news.wait()), asyncio.create_task(clock.sleep(60_000))]
                _, late = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                for task in late:
                    task.cancel()
                return clock.now_ms()

        task = asyncio.create_task(waits_for_news_or_a_minute())
        await clock.sleep(500)
        news.set()
        assert await task == START + 500

    run(story)


@pytest.mark.parametrize(("step_ms", "elapsed_ms"), [(-3000, 13_000), (4000, 6000), (60_000, 1000)])
def test_a_stepped_clock_moves_the_instants_that_are_slept_until(step_ms: int, elapsed_ms: int) -> None:
    async def story(clock: SteppedClock) -> None:
        async def sleeps() -> float:
            with clock.participant():
                await clock.sleep_until(START + 10_000)
                return clock.monotonic_ms()

        async def spans() -> float:
            with clock.participant():
                await clock.sleep(2000)
                return clock.monotonic_ms()

        until, span = asyncio.create_task(sleeps()), asyncio.create_task(spans())
        await clock.sleep(1000)
        clock.step(step_ms)
        assert clock.now_ms() == START + 1000 + step_ms
        with clock.waiting():
            assert (await until, await span) == (elapsed_ms, 2000)

    run(story)


def test_quality_can_be_set() -> None:
    clock = SteppedClock(START)
    bad = ClockQuality(False, None, None)
    assert clock.quality().is_synchronised
    clock.set_quality(bad)
    assert clock.quality() == bad


@pytest.mark.parametrize(
    ("state", "status", "offset", "maxerror_us", "quality"),
    [
        (0, 0x2001, 1_499_999, 12_001, ClockQuality(True, 1, 13)),
        (0, 0x0001, -1500, 500, ClockQuality(True, -2, 1)),
        (5, 0x2001, 0, 500, UNKNOWN),
        (0, 0x0041, 0, 500, UNKNOWN),
    ],
)
def test_what_the_kernel_says(state: int, status: int, offset: int, maxerror_us: int, quality: ClockQuality) -> None:
    assert quality_of(state, status, offset, maxerror_us) == quality


def test_the_systems_clock_sleeps_and_tells() -> None:
    async def story() -> None:
        clock = SystemClock()
        before_ms, at_ms = clock.monotonic_ms(), clock.now_ms() + 20
        with clock.participant():
            await clock.sleep_until(at_ms)
            assert clock.now_ms() >= at_ms
            await clock.sleep(5)
        assert clock.monotonic_ms() - before_ms >= 24
        quality = clock.quality()
        assert quality == UNKNOWN or (quality.is_synchronised and quality.uncertainty_ms is not None)

    asyncio.run(story())
