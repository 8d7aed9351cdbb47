"""GANConfig: round trips through JSON, URL and command line, and what is said of bad settings."""

import json
import math
import random
import urllib.parse
from dataclasses import FrozenInstanceError, replace

import pytest

from gan_core.data import loading
from gan_core.data.datasets import DATASETS
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.networks import architectures
from gan_core.networks.cost import check_memory
from gan_core.settings.all_settings import CARRIED, HYPERPARAMETERS, LIVE_FIELDS
from gan_core.settings.config import (
    IMAGE_DEFAULTS,
    IMAGES_ONLY,
    GANConfig,
    changed,
    compile_key,
    config_from_json,
    same_structure,
    with_live_fields,
)
from gan_core.settings.presets import PRESETS
from gan_core.settings.setting_texts import DATA_PREFIX, parse_assignments, text
from pages.ui.run import settings_panel

DEFAULT = GANConfig.from_flat({})
IMAGES = GANConfig.from_flat({"data": "mnist"})

ODD = {
    "thirds": {"g_lr": 1 / 3, "d_lr": 1e-5, "gp_weight": 0.1 + 0.2, "ema_decay": 0.12345678901234567},
    "ends": {"seed": 2**31 - 1, "data_size": 16, "latent_dim": 128, "g_layers": 0, "d_units": 1},
    "texts": {"z_dist": "uniform", "g_output": "tanh", "d_activation": "swish", "show_ema": False},
    "own data": {"data": "ring", "data.modes": 31, "data.radius": 0.1, "data.std": 0.299999999999},
    "other data": {"data": "spirals", "data.turns": math.pi / 2, "data.arms": 6, "data.noise": 0.0},
    "a file": {"data": "file", "loss": "least_squares", "penalty": "r1"},
    "images": {"data": "cifar10", "architecture": "resnet", "filters": 9, "conditional": True, "dropout": 0.1},
    "some classes": {"data": "mnist", "data.size": "64", "data.classes": "3,8,101", "d_norm": "spectral"},
    "images like points": {"data": "digits", "architecture": "mlp", "latent_dim": 2, "g_output": "linear"},
    "stabilisers": {"packing": 2, "unroll": 3, "minibatch_std": True, "weight_clip": 0.013, "grad_clip": 2 / 3},
    "over the steps": {"schedule": "cosine", "schedule_steps": 777, "schedule_floor": 0.1, "instance_noise": 1 / 7},
    "a file of pictures": {"data": "picture_file", "data.classes": "0", "ema_decay": 0.99, "loss": "minimax"},
}
CONFIGS = {name: preset.config for name, preset in PRESETS.items()}
CONFIGS |= {name: GANConfig.from_flat(flat) for name, flat in ODD.items()} | {"default": DEFAULT}

each_config = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())


FOR_IMAGES = ("architecture", "conditional", "augment")  # which have no other value for points


def other_value(name):
    """A value of the knob `name` that is not the default."""
    knob = HYPERPARAMETERS[name]
    if knob.kind is bool:
        return not knob.default
    if knob.choices is not None:
        return next(choice for choice in knob.choices if choice != knob.default)
    return knob.low if knob.low != knob.default else knob.high


# -- round trips --------------------------------------------------------------------------------------------


@each_config
def test_json_round_trip(config):
    assert config_from_json(json.dumps(config.to_flat())) == config


@each_config
def test_flat_round_trip(config):
    assert GANConfig.from_flat(config.to_flat()) == config


@each_config
def test_url_round_trip(config):
    query = config.to_query()
    assert all(isinstance(value, str) for value in query.values())
    assert GANConfig.from_flat_lenient(query) == (config, [])


@each_config
def test_command_line_round_trip(config):
    assignments = [f"{name}={value}" for name, value in config.to_query().items()]
    assert GANConfig.from_flat(parse_assignments(assignments)) == config


def test_the_url_is_short_but_always_names_data_and_seed():
    assert DEFAULT.to_query() == {"data": "ring", "seed": "0"}
    config = DEFAULT.updated({"show_ema": False, "data.std": 0.02, "g_lr": 0.5})
    assert config.to_query() == {
        "data": "ring",
        "seed": "0",
        "show_ema": "false",
        "data.std": "0.02",
        "g_lr": "0.5",
    }


def test_the_flat_form_has_json_types_only():
    for name, value in DEFAULT.to_flat().items():
        assert type(value) in (str, int, float, bool), name


def test_flat_names_are_the_knobs_and_the_data_parameters():
    assert set(DEFAULT.to_flat()) == {*HYPERPARAMETERS, "data.modes", "data.radius", "data.std"}
    assert DEFAULT.params() == {"modes": 8, "radius": 1.0, "std": 0.01}


def test_configs_of_the_same_settings_are_equal_whatever_their_order():
    flat = {"data.std": 0.02, "data": "ring", "data.modes": 5, "seed": 3}
    a, b = GANConfig.from_flat(flat), GANConfig.from_flat(dict(reversed(flat.items())))
    assert a == b and hash(a) == hash(b)


def test_a_config_is_frozen():
    with pytest.raises(FrozenInstanceError):
        DEFAULT.seed = 1


# -- knobs --------------------------------------------------------------------------------------------------

ALL_KNOBS = {**HYPERPARAMETERS} | {
    f"{data}: {DATA_PREFIX}{name}": knob for data, row in DATASETS.items() for name, knob in row.knobs.items()
}
each_knob = pytest.mark.parametrize("knob", ALL_KNOBS.values(), ids=ALL_KNOBS.keys())


def test_every_field_but_the_data_parameters_is_a_knob():
    """The others are those that rows of registries bring."""
    of_all_runs = {*HYPERPARAMETERS} - {*CARRIED}
    assert set(DEFAULT.__dataclass_fields__) == {*of_all_runs, "data_params", "own"}
    assert {"g_layers", "filters", "gp_weight", "g_beta_1", "d_momentum", "schedule_floor"} <= {*CARRIED}


@each_knob
def test_every_knob_has_a_label_and_a_help_that_ends_as_a_sentence(knob):
    assert knob.label.strip()
    assert len(knob.help) > 10
    assert knob.help.endswith(".")
    assert "  " not in knob.help  # a joint between two literals


@each_knob
def test_every_default_is_accepted(knob):
    assert knob.check("name", knob.default) == knob.default
    assert type(knob.default) is knob.kind


# Those whose sliders stop at certain values only.
TICKED = [name for name, knob in ALL_KNOBS.items() if knob.log or knob.stops is not None]


def test_a_knob_has_ticks_where_its_range_is_wide_or_it_names_its_stops():
    assert {"g_lr", "d_lr", "batch_size"} <= {*TICKED} < {*ALL_KNOBS}
    assert [name for name, knob in ALL_KNOBS.items() if knob.ticks() is not None] == TICKED


@pytest.mark.parametrize("name", TICKED)
def test_ticks_are_sorted_in_range_and_hold_both_ends(name):
    knob = ALL_KNOBS[name]
    ticks = knob.ticks()
    assert ticks == sorted(set(ticks))
    assert ticks[0] == knob.low and ticks[-1] == knob.high
    assert knob.default in ticks
    for tick in ticks:
        assert knob.check("name", tick) == tick


@each_knob
def test_every_number_has_a_finite_range(knob):
    if knob.kind in (int, float):
        assert -math.inf < knob.low < knob.high < math.inf


def test_every_knob_has_a_group():
    groups = {"Data", *settings_panel.GROUPS}
    assert {knob.group for knob in HYPERPARAMETERS.values()} == groups


def test_every_choice_is_described():
    for name, knob in HYPERPARAMETERS.items():
        for choice, description in (knob.choices or {}).items():
            assert choice and description, name


# -- bad settings -------------------------------------------------------------------------------------------

BAD = [
    ("g_lr", "nan"),
    ("g_lr", "inf"),
    ("g_lr", math.nan),
    ("g_lr", math.inf),
    ("g_lr", "fast"),
    ("g_lr", ""),
    ("g_lr", None),
    ("g_lr", "-1"),
    ("g_lr", 2.0),
    ("g_lr", "9" * 100_000),
    ("g_lr", [0.1]),
    ("g_lr", {"value": 0.1}),
    ("g_lr", True),
    ("d_steps", -1),
    ("g_steps", -1),
    ("d_steps", 11),
    ("d_steps", 1.5),
    ("d_steps", True),
    ("d_steps", "1e99"),
    ("d_steps", 10**400),
    ("seed", -1),
    ("seed", 2**31),
    *((name, -0.1) for name in ("gp_weight", "weight_clip", "grad_clip", "instance_noise", "label_noise")),
    *((name, "0") for name in ("packing", "schedule_steps", "instance_noise_steps")),
    ("schedule_floor", 1.1),
    ("schedule", 0),
    ("packing", 5),
    ("unroll", -1),
    ("loss", "hopeful"),
    ("loss", 1),
    ("loss", "x" * 100_000),
    ("data", "RING"),
    ("data", ["ring"]),
    ("show_ema", "perhaps"),
    ("show_ema", None),
    ("data.modes", 0),
    ("data.modes", 8.5),
    ("data.std", "nan"),
    ("data.std", False),
]


@pytest.mark.parametrize("name, value", BAD, ids=lambda v: repr(v)[:20])
def test_a_bad_value_is_reported_in_a_sentence_and_keeps_the_default(name, value):
    config, problems = GANConfig.from_flat_lenient({name: value, "batch_size": 64})
    assert config == DEFAULT.updated({"batch_size": 64})
    (problem,) = problems
    assert problem.startswith(f"{name} must be ") and problem.endswith(".")
    assert "; got " in problem
    assert len(problem) < 300
    with pytest.raises(ConfigError):
        GANConfig.from_flat({name: value})


@pytest.mark.parametrize(
    "name, words",
    [
        ("nonsense", "There is no setting 'nonsense'"),
        ("g_learning", "did you mean g_lr or g_layers"),
        ("data.width", "The data set ring has no setting 'data.width'; it has: data.modes"),
        ("data.", "has no setting"),
        ("", "There is no setting ''"),
        ("x" * 10_000, "There is no setting 'xxx"),
        ("data_params", "There is no setting 'data_params'"),
    ],
    ids=lambda v: v[:20],
)
def test_an_unknown_name_is_reported_in_a_sentence(name, words):
    config, problems = GANConfig.from_flat_lenient({name: "1", "seed": "5"})
    assert config == replace(DEFAULT, seed=5)
    (problem,) = problems
    assert words in problem
    assert problem[-1] in ".?"
    assert len(problem) < 300


def test_every_bad_value_is_reported_and_the_good_ones_are_taken():
    flat = {"g_lr": "x", "d_lr": "0.5", "what": 1, "data.modes": 99, "loss": "minimax"}
    config, problems = GANConfig.from_flat_lenient(flat)
    assert len(problems) == 3
    assert (config.g_lr, config.d_lr, config.loss) == (DEFAULT.g_lr, 0.5, "minimax")
    with pytest.raises(ConfigError) as caught:
        GANConfig.from_flat(flat)
    assert all(problem in str(caught.value) for problem in problems)


def test_a_file_has_no_parameters():
    config, problems = GANConfig.from_flat_lenient({"data": "file", "data.std": 0.1})
    assert config.data == "file" and config.data_params == ()
    assert "it has: none" in problems[0]


# -- images -------------------------------------------------------------------------------------------------

IMAGE_SETS = [name for name, row in DATASETS.items() if row.kind == "images"]


@pytest.mark.parametrize("data", IMAGE_SETS)
def test_images_have_defaults_of_their_own(data):
    config = GANConfig.from_flat({"data": data})
    for name, knob in HYPERPARAMETERS.items():
        expected = data if name == "data" else IMAGE_DEFAULTS.get(name, knob.default)
        assert getattr(config, name) == expected, name
    assert config.params() == {name: knob.default for name, knob in DATASETS[data].knobs.items()}
    assert (config.params()["size"], config.params()["classes"]) == ("native", "all")
    assert config.to_query() == {"data": data, "seed": "0"}
    assert set(config.to_flat()) == {*HYPERPARAMETERS, *(f"data.{name}" for name in DATASETS[data].knobs)}


@pytest.mark.parametrize("data", [name for name in DATASETS if name not in IMAGE_SETS])
def test_points_have_the_knobs_defaults(data):
    config = GANConfig.from_flat({"data": data})
    assert all(getattr(config, name) == knob.default for name, knob in HYPERPARAMETERS.items() if name != "data")


def test_the_defaults_of_images_are_accepted_values():
    for name, value in IMAGE_DEFAULTS.items():
        assert HYPERPARAMETERS[name].check(name, value) == value and value != HYPERPARAMETERS[name].default


def test_a_bad_value_of_images_keeps_the_default_of_images():
    config, problems = GANConfig.from_flat_lenient({"data": "mnist", "latent_dim": 0, "architecture": "unet"})
    assert config == IMAGES and len(problems) == 2


def test_a_bad_data_set_is_reported_once():
    config, problems = GANConfig.from_flat_lenient({"data": "mnists"})
    assert config == DEFAULT and len(problems) == 1


def test_the_url_says_what_differs_from_the_defaults_of_images():
    config = IMAGES.updated({"latent_dim": HYPERPARAMETERS["latent_dim"].default, "data.classes": "1,7"})
    assert config.to_query() == {"data": "mnist", "seed": "0", "latent_dim": "2", "data.classes": "1,7"}


@pytest.mark.parametrize("data", ["ring", "file"])
def test_what_is_for_images_is_refused_for_points(data):
    config, problems = GANConfig.from_flat_lenient({"data": data, "conditional": "true", "architecture": "resnet"})
    assert config == GANConfig.from_flat({"data": data})
    assert problems == [
        f"conditional=True is for images, but the data set {data} has points.",
        f"The architecture resnet is for images, but {data} has points.",
    ]
    for flat in ({"conditional": True}, {"augment": "ada"}, {"architecture": "dcgan"}):
        with pytest.raises(ConfigError, match="for images"):
            GANConfig.from_flat({"data": data, **flat})
    assert IMAGES_ONLY == ("conditional", "augment")


def test_images_cannot_become_points_with_networks_for_images():
    with pytest.raises(ConfigError, match=f"The architecture {IMAGES.architecture} is for images, but ring has points"):
        IMAGES.updated({"data": "ring"})
    assert IMAGES.updated({"data": "ring", "architecture": "mlp"}).data == "ring"


def test_another_set_of_images_keeps_the_settings_and_drops_the_classes():
    config = IMAGES.updated({"filters": 32, "data.classes": "3,8", "conditional": True})
    other = config.updated({"data": "fashion_mnist"})
    assert (other.filters, other.conditional, other.params()["classes"]) == (32, True, "all")


@pytest.mark.parametrize("size", ["native", "28", "32", "48", "64", 28, 32, 48, 64])
def test_sizes(size):
    """JSON may say 32 for "32"."""
    config = config_from_json(json.dumps({"data": "mnist", "data.size": size}))
    assert config.params()["size"] == str(size)


@pytest.mark.parametrize("size", [16, 32.0, "32.0", "", "big", None, True, [32], 10**400])
def test_bad_sizes(size):
    config, problems = GANConfig.from_flat_lenient({"data": "mnist", "data.size": size})
    assert config == IMAGES
    assert problems[0].startswith("data.size must be one of native, 28, 32, 48, 64; got ")


@pytest.mark.parametrize("classes", ["all", "0", "3,8", "0,1,2,3,4,5,6,7,8,9", "999", 7])
def test_classes(classes):
    config = GANConfig.from_flat({"data": "mnist", "data.classes": classes})
    assert config.params()["classes"] == str(classes)


@pytest.mark.parametrize(
    "classes", ["", "none", "3,", ",3", "3, 8", "3;8", "-1", "1000", "all,3", "3\n", None, True, 3.5, -1]
)
def test_bad_classes(classes):
    config, problems = GANConfig.from_flat_lenient({"data": "mnist", "data.classes": classes})
    assert config == IMAGES
    (problem,) = problems
    assert problem.startswith("data.classes must be all, or class numbers separated by commas such as 3,8; got ")


# -- changes ------------------------------------------------------------------------------------------------


def test_updated_keeps_the_parameters_of_the_same_data():
    config = DEFAULT.updated({"data.modes": 5}).updated({"seed": "7"})
    assert config.params()["modes"] == 5 and config.seed == 7
    assert config.updated({"data": "ring", "data.std": 0.1}).params() == {"modes": 5, "radius": 1, "std": 0.1}


def test_updated_with_other_data_takes_its_default_parameters():
    """`std` is a parameter of both, with a default of its own in each."""
    config = DEFAULT.updated({"data.std": 0.2, "g_lr": 0.5}).updated({"data": "grid"})
    assert config.params() == {"side": 5, "spacing": 2.0, "std": 0.05}
    assert config.g_lr == 0.5
    assert config.updated({"data": "ring", "data.std": 0.3}).params() == {"modes": 8, "radius": 1, "std": 0.3}


def test_updated_refuses_what_from_flat_refuses():
    for changes in ({"data": "nowhere"}, {"seed": "x"}, {"sed": 1}, {"data": "grid", "data.modes": 4}):
        with pytest.raises(ConfigError):
            DEFAULT.updated(changes)


@pytest.mark.parametrize("name", [n for n in HYPERPARAMETERS if n not in FOR_IMAGES])
def test_changed_and_same_structure(name):
    value = other_value(name)
    new = DEFAULT.updated({name: value})
    difference = changed(DEFAULT, new)
    assert difference[name] == (HYPERPARAMETERS[name].default, value)
    assert [n for n in difference if not n.startswith(DATA_PREFIX)] == [name]
    assert same_structure(DEFAULT, new) == (name in LIVE_FIELDS)


@pytest.mark.parametrize("name", FOR_IMAGES)
def test_what_is_for_images_is_structure_there(name):
    value = {"architecture": "tutorial_conv", "conditional": True, "augment": "ada"}[name]
    new = IMAGES.updated({name: value})
    assert changed(IMAGES, new) == {name: (getattr(IMAGES, name), value)}
    assert not same_structure(IMAGES, new)
    assert compile_key(IMAGES) != compile_key(new)


def test_changed_shows_none_for_a_parameter_that_one_side_lacks():
    difference = changed(DEFAULT, DEFAULT.updated({"data": "grid"}))
    assert difference["data"] == ("ring", "grid")
    assert difference["data.modes"] == (8, None)
    assert difference["data.side"] == (None, 5)
    assert changed(DEFAULT, DEFAULT) == {}


def test_live_fields_are_those_that_the_drawing_names():
    assert set(LIVE_FIELDS) == {
        *("g_lr", "d_lr", "d_steps", "g_steps", "gp_weight"),
        *("label_smoothing", "label_noise", "ema_decay", "show_ema"),
        *("schedule", "schedule_steps", "schedule_floor", "instance_noise", "instance_noise_steps"),
        *("grad_clip", "weight_clip"),
        *("augment_color", "augment_translation", "augment_cutout", "ada_target", "ada_kimg"),
    }


def test_with_live_fields_takes_them_and_nothing_else():
    others = {n: other_value(n) for n in HYPERPARAMETERS if n not in FOR_IMAGES}
    source = GANConfig.from_flat({**others, "g_steps": 3})  # not both counts can be 0
    mixed = with_live_fields(DEFAULT, source)
    for name in HYPERPARAMETERS:
        assert getattr(mixed, name) == getattr(source if name in LIVE_FIELDS else DEFAULT, name), name
    assert mixed.data_params == DEFAULT.data_params


@pytest.mark.parametrize("frozen, learns", [("d_steps", "g_steps"), ("g_steps", "d_steps")])
def test_one_network_may_be_frozen_and_not_both(frozen, learns):
    one = DEFAULT.updated({frozen: 0})
    assert getattr(one, frozen) == 0 and same_structure(DEFAULT, one) and GANConfig.from_flat(one.to_flat()) == one
    assert GANConfig.from_flat_lenient(one.to_query())[0] == one
    with pytest.raises(ConfigError, match="cannot both be 0: one of the networks must learn"):
        one.updated({learns: 0})
    config, problems = GANConfig.from_flat_lenient({frozen: 0, learns: 0})
    assert (config.d_steps, config.g_steps) == (1, 0) and len(problems) == 1


def test_a_data_parameter_is_structure():
    assert not same_structure(DEFAULT, DEFAULT.updated({"data.std": 0.02}))


def test_a_live_change_beside_a_structural_one_is_no_live_change():
    assert not same_structure(DEFAULT, DEFAULT.updated({"g_lr": 0.5, "seed": 1}))


@pytest.mark.parametrize("name", [n for n in HYPERPARAMETERS if n not in FOR_IMAGES])
def test_the_compile_key_leaves_out_what_does_not_need_a_new_function(name):
    shares = compile_key(DEFAULT) == compile_key(DEFAULT.updated({name: other_value(name)}))
    assert shares == (name in {*LIVE_FIELDS, "seed", "data"})


def test_the_compile_key_leaves_out_the_data_parameters():
    assert compile_key(DEFAULT) == compile_key(DEFAULT.updated({"data.std": 0.02}))
    hash(compile_key(DEFAULT))


# -- texts --------------------------------------------------------------------------------------------------


def test_parse_assignments():
    assert parse_assignments([]) == {}
    assert parse_assignments(["d_lr=1e-3", " data = grid ", "data.std=0.1"]) == {
        "d_lr": "1e-3",
        "data": "grid",
        "data.std": "0.1",
    }
    assert parse_assignments(["a=b=c", "empty="]) == {"a": "b=c", "empty": ""}


@pytest.mark.parametrize("item", ["", "d_lr", "=1", "  =1", "d_lr:1", "x" * 10_000], ids=lambda v: v[:10])
def test_parse_assignments_refuses_what_is_no_assignment(item):
    with pytest.raises(ConfigError, match=r"A setting is written NAME=VALUE.*; got .*\.$") as caught:
        parse_assignments(["seed=1", item])
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "content", ["", "{", "nonsense", "{'data': 'ring'}", "[" * 100_000, '{"seed": ' + "1" * 10_000 + "}"]
)
def test_what_is_no_json_is_refused(content):
    with pytest.raises(ConfigError, match=r"^The file is not valid JSON: ") as caught:
        config_from_json(content)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("content", ["[]", "null", "3", '"ring"', '[{"data": "ring"}]'])
def test_json_that_is_no_object_is_refused(content):
    with pytest.raises(ConfigError, match="The file must be a JSON object of settings"):
        config_from_json(content)


@pytest.mark.parametrize(
    "content", ['{"seed": NaN}', '{"g_lr": Infinity}', '{"g_lr": 1e999}', '{"sed": 1}', '{"show_ema": null}']
)
def test_bad_settings_in_json_are_refused(content):
    with pytest.raises(ConfigError):
        config_from_json(content)


def test_a_config_from_json():
    config = config_from_json('{"data": "grid", "data.side": 3, "g_lr": 1e-4, "show_ema": false}')
    assert config == GANConfig.from_flat({"data": "grid", "data.side": 3, "g_lr": 1e-4, "show_ema": "off"})


# -- links that nobody meant ----------------------------------------------------------------------------------

NONSENSE = (
    *("", " ", "nan", "-inf", "1e999", "-0", "0x10", "1_0", "१२", "½", "9" * 5_000, "1" + "0" * 400, "true", "None"),
    *("\0", "\n", "\u202e", "😀" * 50, "[]", "{}", "(" * 500, "a,b", "0,0", "..%2f..", "../../etc/passwd", "/dev/zero"),
    *("__import__('os').system('true')", "{0.__class__}", "%(data)s", "${PATH}", "`id`", "<script>", "' OR 1=1 --"),
)
NAMES = [*HYPERPARAMETERS, *sorted({DATA_PREFIX + name for row in DATASETS.values() for name in row.knobs})]
STRANGERS = ("preset", "run", "data.", "data_params", "__class__", "to_flat", "seed\0", "", "G_LR", "x" * 3_000)


def some_value(rng, name):
    """A text for a setting: often a good one."""
    knob = HYPERPARAMETERS.get(name)
    kind = rng.random()
    if knob is None or kind < 0.25:
        return rng.choice(NONSENSE)
    if kind < 0.35:
        return text(rng.choice(list(HYPERPARAMETERS.values())).default)
    if knob.choices is not None:
        return rng.choice(list(knob.choices))
    if knob.kind in (int, float):
        low, high = (knob.low, knob.high) if kind < 0.8 else (-2 * abs(knob.high), 2 * knob.high)
        return text(knob.kind(rng.choice((low, high, rng.uniform(low, high)))))
    return rng.choice(("true", "false", "all", "32", "1,2"))


def some_link(rng):
    """The query of an address: settings, half of them wrong, and sometimes damaged as a whole."""
    pairs = []
    for _ in range(rng.choice((1, 3, 8, 8, 60))):
        name = rng.choice(NAMES) if rng.random() < 0.9 else rng.choice(STRANGERS)
        pairs.append((name, some_value(rng, name)))
    if rng.random() < 0.7:
        pairs.insert(0, ("data", rng.choice(list(DATASETS))))
    link = urllib.parse.urlencode(pairs)
    for _ in range(rng.choice((0, 0, 0, 1, 20))):
        at = rng.randrange(len(link))
        link = link[:at] + rng.choice(("&", "=", "%", "%ff", "%00", ";", "#", "é", link[:at][-50:])) + link[at + 1 :]
    return link


def test_whatever_a_link_says_there_is_a_config_and_a_sentence_for_the_rest(nothing_is_run):
    rng = random.Random(0)
    taken = refused = 0
    for turn in range(10_000):
        link = some_link(rng)
        flat = dict(urllib.parse.parse_qsl(link, keep_blank_values=True))
        config, problems = GANConfig.from_flat_lenient(flat)
        for problem in problems:
            assert problem[-1] in ".?" and len(problem) < 400, (link, problem)
        again, none = GANConfig.from_flat_lenient(config.to_query())
        assert again == config and none == [], link
        taken, refused = taken + (not problems), refused + bool(problems)
        if turn % 40 == 0:  # networks and data of it can be had, or not, in a sentence
            try:
                data = loading.load(config, None)
                architectures.plans(config, data.shape)
                check_memory(config, data.shape)
            except ConfigError as error:
                assert str(error).endswith((".", "?")) and len(str(error)) < 400, (link, str(error))
    assert min(taken, refused) > 300, (taken, refused)
