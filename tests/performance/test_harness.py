import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.performance.harness import Ratio, Timings, fitted_exponent, local_exponents, paired


class FakeClock:
    """A clock that moves only when a candidate works, and notes who worked when."""

    def __init__(self):
        self.now, self.turns = 0.0, []

    def __call__(self):
        return self.now

    def work(self, name, seconds):
        def call():
            self.now += seconds
            self.turns.append(name)

        return call


def test_candidates_take_turns_in_alternating_order():
    clock = FakeClock()
    candidates = {"a": clock.work("a", 1.0), "b": clock.work("b", 2.0), "c": clock.work("c", 4.0)}
    timings = paired(candidates, rounds=3, warm_up=("c",), clock=clock)
    assert clock.turns == ["c", *"abc", *"cba", *"abc"]
    assert timings.seconds == {"a": ((1.0,),) * 3, "b": ((2.0,),) * 3, "c": ((4.0,),) * 3}
    assert timings.speed_up("a", "c") == Ratio(4.0, 4.0, 4.0)
    assert timings.speed_up("c", "b") == Ratio(0.5, 0.5, 0.5)


def test_a_quick_candidate_is_called_until_its_slice_is_full():
    clock = FakeClock()
    candidates = {"quick": clock.work("quick", 0.25), "slow": clock.work("slow", 8.0)}
    timings = paired(candidates, rounds=1, slice_seconds=1.0, warm_up=(), clock=clock)
    assert timings.seconds == {"quick": ((0.25,) * 4,), "slow": ((8.0,),)}
    limited = paired(candidates, rounds=1, slice_seconds=1.0, most_calls=3, warm_up=(), clock=clock)
    assert limited.seconds["quick"] == ((0.25,) * 3,)


def test_a_candidate_in_parts_takes_turns_with_the_others():
    clock = FakeClock()
    parts = [clock.work("x", 3.0), clock.work("y", 5.0)]
    candidates = {"parts": parts, "own": clock.work("o", 1.0)}
    timings = paired(candidates, rounds=2, slice_seconds=0.5, warm_up=(), clock=clock)
    assert "".join(clock.turns) == "xooy" + "oxyo"
    assert timings.seconds == {"parts": ((8.0,), (8.0,)), "own": ((1.0, 1.0), (1.0, 1.0))}
    assert timings.speed_up("own", "parts") == Ratio(8.0, 8.0, 8.0)


def test_everyone_is_warmed_up_by_default():
    clock = FakeClock()
    paired({"a": clock.work("a", 1.0), "b": clock.work("b", 1.0)}, rounds=1, clock=clock)
    assert clock.turns == ["a", "b", "a", "b"]


def test_ratios_are_of_calls_in_the_same_round():
    # The machine was ten times slower in the second round, for both alike.
    timings = Timings({"base": ((8.0,), (80.0,)), "own": ((1.0, 2.0), (10.0, 20.0))})
    assert timings.speed_up("own", "base") == Ratio(6.0, 4.0, 8.0)
    assert timings.median("own") == 6.0


def test_a_clock_that_stands_still_gives_no_zero():
    timings = paired({"a": lambda: None}, rounds=1, most_calls=2, clock=lambda: 5.0)
    assert all(second > 0 for second in timings.seconds["a"][0])


def test_a_real_clock():
    timings = paired({"short": lambda: sum(range(10)), "long": lambda: sum(range(10**5))}, rounds=3)
    assert timings.median("short") > 0
    assert len(timings.seconds["long"]) == 3


@pytest.mark.parametrize(
    ("options", "word"), [({"rounds": 0}, "rounds"), ({"most_calls": 0}, "most_calls"), ({}, "candidates")]
)
def test_refusals(options, word):
    with pytest.raises(ValueError, match=f"Argument '{word}'"):
        paired({} if word == "candidates" else {"a": int}, **options)


@given(st.floats(-3, 5), st.floats(1e-6, 1e3))
def test_exponents_of_a_power_law(exponent, constant):
    sizes = [32, 64, 128, 256]
    seconds = [constant * size**exponent for size in sizes]
    assert math.isclose(fitted_exponent(sizes, seconds), exponent, abs_tol=1e-9)
    assert all(math.isclose(slope, exponent, abs_tol=1e-9) for slope in local_exponents(sizes, seconds))


def test_an_exponent_needs_two_sizes():
    with pytest.raises(ValueError, match="not 1 for 1"):
        fitted_exponent([2], [1.0])
    assert local_exponents([2], [1.0]) == []
