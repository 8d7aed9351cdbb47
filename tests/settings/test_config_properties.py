"""Settings drawn from their own ranges, and anything in their place: the same config by every way, or a sentence."""

import json

from hypothesis import given
from hypothesis import strategies as st

from gan_core.foundations.hyperparameters import ConfigError
from gan_core.settings.all_settings import HYPERPARAMETERS, LIVE_FIELDS
from gan_core.settings.config import (
    GANConfig,
    changed,
    compile_key,
    config_from_json,
    same_structure,
    with_live_fields,
)
from gan_core.settings.setting_texts import parse_assignments, text
from tests.support.strategies import flat_settings, json_values


@given(flat_settings())
def test_settings_in_their_ranges_come_back_by_every_way(flat):
    config, problems = GANConfig.from_flat_lenient(flat)
    assert all(problem[-1] in ".?" for problem in problems)
    refused = [name for name, value in flat.items() if config.to_flat()[name] != value]
    assert bool(refused) <= bool(problems)  # what is in its range is only ever refused beside another setting
    assert GANConfig.from_flat(config.to_flat()) == config
    assert config_from_json(json.dumps(config.to_flat())) == config
    assert GANConfig.from_flat(config.to_query()) == config
    written = [f"{name}={text(value)}" for name, value in config.to_flat().items()]
    assert GANConfig.from_flat(parse_assignments(written)) == config


@given(flat_settings(), flat_settings())
def test_what_is_live_and_what_is_structure_never_mix(one, other):
    a, b = (GANConfig.from_flat_lenient(flat)[0] for flat in (one, other))
    mixed = with_live_fields(a, b)
    assert set(changed(a, mixed)) <= set(LIVE_FIELDS) and same_structure(a, mixed)
    assert compile_key(mixed) == compile_key(a)
    if same_structure(a, b):
        assert compile_key(a) == compile_key(b)


@given(st.dictionaries(st.sampled_from(sorted(HYPERPARAMETERS)) | st.text(max_size=12), json_values, max_size=6))
def test_whatever_a_file_says_there_is_a_config_or_a_sentence(flat):
    config, problems = GANConfig.from_flat_lenient(flat)
    assert GANConfig.from_flat(config.to_flat()) == config
    try:
        assert GANConfig.from_flat(flat) == config and not problems
    except ConfigError as error:
        assert problems and str(error)[-1] in ".?"
