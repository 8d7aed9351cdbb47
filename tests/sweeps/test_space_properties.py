"""Any axis that is said: values that the setting accepts, or a sentence."""

import json

from hypothesis import given
from hypothesis import strategies as st

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.settings.all_settings import HYPERPARAMETERS
from gan_core.settings.config import GANConfig
from gan_core.sweeps.space import Space, knob_of, parse_space
from tests.support.strategies import texts, value_of

BASE = GANConfig.from_flat({})
NUMBERS = sorted(name for name, knob in HYPERPARAMETERS.items() if knob.kind in (int, float) and name != "seed")


@st.composite
def ranges(draw) -> str:
    """A range of a numeric setting, mostly a good one."""
    name = draw(st.sampled_from(NUMBERS))
    low, high = (draw(value_of(HYPERPARAMETERS[name])) for _ in range(2))
    count = draw(st.just("") | st.integers(0, 120).map(lambda n: f":{n}"))
    return f"{name}={low}:{high}{count}"


lists = st.sampled_from(sorted(HYPERPARAMETERS)).flatmap(
    lambda name: st.lists(value_of(HYPERPARAMETERS[name]), max_size=4).map(lambda v: f"{name}={','.join(map(str, v))}")
)


@given(st.lists(ranges() | lists | texts, max_size=2), st.integers(1, 3), st.integers(0, 5))
def test_an_axis_is_values_that_the_setting_accepts_or_a_sentence(over, seeds, draws):
    try:
        space = parse_space(BASE, over, seeds, 10, None, draws)
    except ConfigError as error:
        assert len(str(error)) < 400 and str(error)[-1] in ".?"
        return
    assert Space.of_json(json.loads(json.dumps(space.to_json()))) == space
    found = list(space.settings())
    assert len(found) * seeds == len(space) and found == list(space.settings())
    for settings in found[:50]:
        assert set(settings) == {axis.name for axis in space.axes}
        for name, value in settings.items():
            knob = knob_of(name, BASE)
            assert knob.check(name, value) == value
            axis = next(axis for axis in space.axes if axis.name == name)
            assert value in axis.values if axis.values else axis.low <= value <= axis.high
