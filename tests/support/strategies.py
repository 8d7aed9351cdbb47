"""What hypothesis draws: settings from their own ranges, and whatever a file or a link may say."""

from hypothesis import strategies as st

from gan_core.data.datasets import DATASETS
from gan_core.foundations.hyperparameters import Hyperparameter
from gan_core.settings.all_settings import HYPERPARAMETERS
from gan_core.settings.setting_texts import DATA_PREFIX


def value_of(knob: Hyperparameter) -> st.SearchStrategy:
    """A value that the setting accepts."""
    if knob.kind is bool:
        return st.booleans()
    if knob.choices is not None:
        return st.sampled_from(sorted(knob.choices))
    if knob.kind is int:
        return st.integers(int(knob.low), int(knob.high))
    if knob.kind is float:
        return st.floats(knob.low, knob.high)
    return st.just(knob.default)  # a text of a form of its own


@st.composite
def flat_settings(draw) -> dict:
    """Settings under their flat names, each within its range; some may not go together."""
    data = draw(st.sampled_from(sorted(DATASETS)))
    knobs = {**HYPERPARAMETERS, **{DATA_PREFIX + name: knob for name, knob in DATASETS[data].knobs.items()}}
    names = draw(st.lists(st.sampled_from(sorted(knobs)), unique=True, max_size=12))
    return {name: draw(value_of(knobs[name])) for name in names} | {"data": data}


texts = st.text(max_size=30) | st.sampled_from(["nan", "-inf", "1e999", "1:2:3", "=", ",", "\0", "none,r1", "1e-3:1:4"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
