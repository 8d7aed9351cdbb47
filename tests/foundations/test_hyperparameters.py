"""Knobs: what a text or a JSON value becomes, what is refused, and the ticks of a slider."""

import math

import numpy as np
import pytest

from gan_core.foundations.hyperparameters import ConfigError, Hyperparameter, shorten

RATE = Hyperparameter(float, 1e-3, "rate", "Step size.", low=1e-5, high=1.0, log=True)
COUNT = Hyperparameter(int, 3, "layers", "How many.", low=0, high=5)
SWITCH = Hyperparameter(bool, True, "switch", "On or off.")
CHOICE = Hyperparameter(str, "a", "letter", "Which.", choices={"a": "first", "b": "second"})
NUMBERED = Hyperparameter(str, "28", "side", "How large.", choices={"28": "small", "32": "larger"})
PATTERN = Hyperparameter(str, "all", "list", "Which ones.", pattern=r"all|\d(,\d)*", form="all, or digits such as 3,8")


@pytest.mark.parametrize(
    "knob, given, value",
    [
        (RATE, "1e-3", 0.001),
        (RATE, " 0.25 ", 0.25),
        (RATE, 1, 1.0),
        (RATE, np.float64(0.5), 0.5),
        (RATE, 1e-5, 1e-5),
        (COUNT, "4", 4),
        (COUNT, "4.0", 4),
        (COUNT, 2.0, 2),
        (COUNT, 0, 0),
        (COUNT, 5, 5),
        (SWITCH, "Off", False),
        (SWITCH, " yes ", True),
        (SWITCH, 0, False),
        (SWITCH, True, True),
        (CHOICE, "b", "b"),
        (NUMBERED, "32", "32"),
        (NUMBERED, 32, "32"),
        (PATTERN, "all", "all"),
        (PATTERN, "3,8", "3,8"),
        (PATTERN, 3, "3"),
    ],
)
def test_check_converts(knob, given, value):
    result = knob.check("name", given)
    assert result == value
    assert type(result) is knob.kind


@pytest.mark.parametrize("given", ["nan", "inf", "-inf", math.nan, math.inf, -math.inf, "1e999", 1.1, 0, -1])
def test_a_number_outside_the_range_is_refused(given):
    with pytest.raises(ConfigError, match=r"^rate must be a number from 1e-05 to 1; got .+\.$"):
        RATE.check("rate", given)


@pytest.mark.parametrize("given", [2.5, "2.5", -1, 6, "6", "two", "", None, [3], {}, True, False, 10**400])
def test_what_is_no_whole_number_in_range_is_refused(given):
    with pytest.raises(ConfigError, match=r"^layers must be a whole number from 0 to 5; got .+\.$"):
        COUNT.check("layers", given)


@pytest.mark.parametrize("given", [True, False])
def test_a_bool_is_no_number(given):
    with pytest.raises(ConfigError):
        RATE.check("rate", given)
    with pytest.raises(ConfigError):
        COUNT.check("layers", given)


@pytest.mark.parametrize("given", ["maybe", 2, None, "", "truetrue", [True]])
def test_what_is_neither_on_nor_off_is_refused(given):
    with pytest.raises(ConfigError, match="switch must be true or false"):
        SWITCH.check("switch", given)


@pytest.mark.parametrize("given", ["c", "A", "", None, 1, ["a"]])
def test_what_is_no_choice_is_refused(given):
    with pytest.raises(ConfigError, match="letter must be one of a, b"):
        CHOICE.check("letter", given)


@pytest.mark.parametrize("given", [28.0, "28.0", 16, True, None, [28], 10**400])
def test_a_number_among_choices_is_a_whole_one(given):
    with pytest.raises(ConfigError, match="side must be one of 28, 32; got "):
        NUMBERED.check("side", given)


@pytest.mark.parametrize("given", ["", "all,3", "3,", "12", "3,8\n", 12, 3.0, None, False, ["3"]])
def test_what_does_not_match_the_pattern_is_refused(given):
    with pytest.raises(ConfigError, match="list must be all, or digits such as 3,8; got "):
        PATTERN.check("list", given)


@pytest.mark.parametrize("knob", [RATE, COUNT, SWITCH, CHOICE, PATTERN], ids=lambda k: k.label)
def test_a_huge_text_is_refused_in_a_short_message(knob):
    with pytest.raises(ConfigError) as caught:
        knob.check(knob.label, "1" * 1_000_000)
    assert len(str(caught.value)) < 200


def test_a_whole_number_of_thousands_of_digits_is_refused():
    """Python refuses to print such a number, which must not spoil the message."""
    for knob in (COUNT, NUMBERED, PATTERN):
        with pytest.raises(ConfigError, match="layers must be"):
            knob.check("layers", 10**5_000)


def test_the_message_names_the_highest_whole_number_in_full():
    seed = Hyperparameter(int, 0, "seed", "Fixes everything.", low=0, high=2**31 - 1)
    assert "2,147,483,647" in seed.accepts()


def test_accepts_in_words():
    assert RATE.accepts() == "a number from 1e-05 to 1"
    assert COUNT.accepts() == "a whole number from 0 to 5"
    assert SWITCH.accepts() == "true or false"
    assert CHOICE.accepts() == "one of a, b"
    assert PATTERN.accepts() == "all, or digits such as 3,8"


def test_shorten():
    assert shorten("abc") == "'abc'"
    assert shorten(1.5) == "1.5"
    assert len(shorten("x" * 1_000)) == 40 and shorten("x" * 1_000).endswith("…")
    assert len(shorten(list(range(1_000)), 12)) == 12


def test_ticks_of_a_linear_knob_are_none():
    assert COUNT.ticks() is None


def test_ticks_are_the_stops_where_there_are_any():
    knob = Hyperparameter(float, 0.1, "weight", "How much.", low=0.0, high=1.0, log=True, stops=(0, 0.1, 1))
    assert knob.ticks() == [0, 0.1, 1]


def test_logarithmic_ticks():
    ticks = RATE.ticks()
    assert ticks == sorted(set(ticks))
    assert ticks[0] == 1e-5 and ticks[-1] == 1.0
    assert {1e-4, 1.5e-4, 2e-4, 1e-3, 7e-3, 0.1} <= set(ticks)
    assert all(type(t) is float for t in ticks)


def test_logarithmic_ticks_of_whole_numbers():
    """Powers of two and the default are offered, and both ends even where they are no round number."""
    ticks = Hyperparameter(int, 77, "size", "How many.", low=7, high=1_023, log=True).ticks()
    assert ticks == sorted(set(ticks))
    assert ticks[0] == 7 and ticks[-1] == 1_023
    assert {8, 10, 16, 64, 77, 100, 200, 512, 800} <= set(ticks)
    assert all(type(t) is int for t in ticks)
