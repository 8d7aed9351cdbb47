"""Conditions: what is accepted, what is refused with a sentence, and what an unknown number decides."""

import pytest

from gan_core.diagnosis.conditions import Condition, Kind, Known
from gan_core.foundations.hyperparameters import ConfigError

NAMES = {name: Kind(float) for name in ("modes", "step", "modes_total", "data.std")}
NAMES |= {name: Kind(float, curve=True) for name in ("hq", "w1", "w1_floor")}
NAMES |= {"penalty": Kind(str, ("none", "r1")), "note": Kind(str), "mode_collapse": Kind(bool)}
KNOWN = Known(
    {
        "modes": 8,
        "hq": 0.95,
        "w1": 0.2,
        "w1_floor": 0.05,
        "step": 700,
        "penalty": "r1",
        "data.std": 0.02,
        "mode_collapse": False,
        "modes_total": None,
    },
    {"w1": [1.0, 3.0], "hq": []},
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("modes == 8 and hq >= 0.9", True),
        ("modes == 8 and hq >= 0.96", False),
        ("500 < step <= 700", True),
        ("500 < step < 700", False),
        ("w1 <= 4 * w1_floor", True),
        ("w1 <= 3 * w1_floor", False),
        ('penalty == "r1"', True),
        ('penalty != "r1" or hq < 0', False),
        ("data.std == 0.02", True),
        ("not mode_collapse", True),
        ("mode_collapse", False),
        ("mean(w1) == 2 and lowest(w1) == 1 and highest(w1) == 3", True),
        # What is unknown decides nothing, and its contrary neither.
        ("modes == modes_total", False),
        ("not modes == modes_total", False),
        ("mean(hq) > 0", False),
        ("modes == 8 or modes == modes_total", True),
        ("w1 / 0 < 1", False),
        ("-modes < 0", True),
        ("step > -" + "9" * 330, False),  # too large for a number with a point
        ("step * " + "9" * 330 + " > 1", False),
        ("mode_collapse == False", True),
        ('note != "x"', False),  # unknown
    ],
)
def test_what_holds(text, expected):
    assert Condition.read(text, NAMES).holds(KNOWN) is expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be read"),
        ("modes =", "cannot be read"),
        ("modes", "compares nothing"),
        ("-modes", "compares nothing"),
        # A number by itself is neither true nor false, and has nothing to do with a text.
        ("modes or hq > 0.9", "modes is neither true nor false"),
        ("not modes", "modes is neither true nor false"),
        ('modes == "8"', "cannot be compared"),
        ("penalty > 3", "cannot be compared"),
        ("mode_collapse == 1", "cannot be compared"),
        ("-penalty < 3", "penalty is no number"),
        ('penalty > "r1"', "neither of penalty and 'r1' is larger"),
        ('"R1" == penalty', "penalty is never 'R1'; it is one of: none, r1"),
        # What would be the same for every run.
        ("3 > 2", "asks for nothing of a run"),
        ("mean(step) > 3", "has no values over a run"),
        ("lowest(penalty) > 1", "has no values over a run"),
        ("8", "compares nothing"),
        ("modes + 1", "compares nothing"),
        ("beauty > 3", "which no run has"),
        ("__import__('os').system('true') == 0", "cannot be read"),
        ("open('x') == 1", "cannot be read"),
        ("mean(w1, hq) > 1", "cannot be read"),
        ("mean(2) > 1", "takes one name"),
        ("modes ** 9 ** 9 > 1", "cannot be read"),
        ("[1 for _ in w1] == 1", "cannot be read"),
        ("modes == 8\x00", "cannot be read"),
        ("modes > 1 and " * 40 + "hq > 0", "characters"),
        ("(" * 190 + "modes" + ")" * 190 + ">1", ""),
        ("modes" + "<1" * 100, "too long"),
        ("lambda: 1", "cannot be read"),
        ("modes is 8", "cannot be read"),
    ],
)
def test_what_is_refused(text, said):
    if not said:
        Condition.read(text, NAMES)
        return
    with pytest.raises(ConfigError, match=said):
        Condition.read(text, NAMES)


def test_the_names_that_it_asks_for():
    assert Condition.read("mean(w1) < 2 and data.std > 0", NAMES).names == {"w1", "data.std"}
