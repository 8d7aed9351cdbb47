"""Settings that do not go together: which are refused and how, and which are only doubted."""

import json
import re

import pytest

from gan_core.__main__ import main
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.settings.combinations import doubtful
from gan_core.settings.config import IMAGE_DEFAULTS, GANConfig, config_from_json, refused
from gan_core.settings.presets import PRESETS
from gan_core.settings.recipes import RECIPES

# settings, {what is taken back}, words of each sentence
REFUSED = {
    "a pack left over": (
        {"packing": 3, "batch_size": 256},
        ["packing"],
        ["The batch size (256) must be a multiple of packing (3)"],
    ),
    "packs of classes": (
        {"data": "digits", "packing": 2, "conditional": True},
        ["packing"],
        ["Packing (2) does not work with conditional training"],
    ),
    "packs of classes left over": (
        {"data": "digits", "packing": 3, "conditional": True},
        ["packing"],
        ["The batch size (64) must be a multiple of packing (3)"],
    ),
    "spectral norm of nothing": ({"g_norm": "spectral", "g_layers": 0}, ["g_norm"], ["g_norm=spectral needs"]),
    "maxout in residual blocks": (
        {"data": "mnist", "architecture": "resnet", "g_activation": "maxout", "d_activation": "maxout"},
        ["g_activation", "d_activation"],
        ["g_activation=maxout does not fit resnet", "d_activation=maxout does not fit resnet"],
    ),
    "two at once": (
        {"packing": 3, "batch_size": 64, "g_norm": "spectral", "g_layers": 0},
        ["packing", "g_norm"],
        ["The batch size (64) must be a multiple of packing (3)", "g_norm=spectral needs"],
    ),
}
each_refused = pytest.mark.parametrize("settings, back, words", REFUSED.values(), ids=REFUSED)
FINE = {
    "packs": {"packing": 3, "batch_size": 255},
    "no packs": {"packing": 1, "batch_size": 255},
    "one sample of a class": {"data": "digits", "conditional": True},
    "spectral norm of a layer": {"g_norm": "spectral", "g_layers": 1},
    "a discriminator of one normalised layer": {"d_norm": "spectral", "d_layers": 0},
    "no layers of its own": {"data": "digits", "architecture": "dcgan", "g_norm": "spectral", "g_layers": 0},
    "maxout of convolutions": {"data": "digits", "architecture": "dcgan", "g_activation": "maxout"},
}


@each_refused
def test_what_cannot_work_is_refused_in_a_sentence(settings, back, words):
    with pytest.raises(ConfigError) as caught:
        GANConfig.from_flat(settings)
    assert all(word in str(caught.value) for word in words) and str(caught.value).endswith(".")
    with pytest.raises(ConfigError, match=re.escape(words[0])):
        GANConfig.from_flat({"data": settings.get("data", "ring")}).updated(settings)


@each_refused
def test_a_link_loses_the_setting_and_keeps_the_rest(settings, back, words):
    config, problems = GANConfig.from_flat_lenient({name: str(value) for name, value in settings.items()})
    kept = {name: value for name, value in settings.items() if name not in back}
    assert config == GANConfig.from_flat(kept) and not refused(config)
    assert len(problems) == len(words)
    for problem, word in zip(problems, words, strict=True):
        assert problem.startswith(word) and problem.endswith(".") and len(problem) < 200


@each_refused
def test_a_json_config_is_refused(settings, back, words):
    with pytest.raises(ConfigError, match=re.escape(words[0])):
        config_from_json(json.dumps(settings))


@each_refused
def test_the_command_line_ends_with_status_2(capsys, settings, back, words):
    arguments = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    assert main(["train", *arguments, "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and all(word in captured.err for word in words)


def test_a_preset_and_a_setting_are_refused_together(capsys):
    """The batches of 64 and 32 are the presets'."""
    assert main(["train", "--preset", "digits", "--set", "packing=2"]) == 2
    assert "Packing (2) does not work with conditional training" in capsys.readouterr().err
    assert main(["train", "--preset", "mnist", "--set", "packing=3"]) == 2
    assert "The batch size (32) must be a multiple of packing" in capsys.readouterr().err


@pytest.mark.parametrize("settings", FINE.values(), ids=FINE)
def test_what_works_is_not_refused(settings):
    assert refused(GANConfig.from_flat(settings)) == []


def test_what_is_taken_back_has_one_default_for_all_data():
    """So that taking it back cannot leave another combination that is refused."""
    for _, back, _ in REFUSED.values():
        assert not set(back) & set(IMAGE_DEFAULTS)
    assert refused(GANConfig.from_flat({})) == refused(GANConfig.from_flat({"data": "mnist"})) == []


# -- doubts -------------------------------------------------------------------------------------------------

DOUBTFUL = {
    "batch norm and a slope": (
        {"d_norm": "batch", "penalty": "r1"},
        "Batch norm in the discriminator does not fit a gradient penalty",
    ),
    "batch norm of convolutions and a slope": (
        {"data": "mnist", "architecture": "dcgan", "d_norm": "batch", "loss": "hinge"},
        "Batch norm in the discriminator does not fit a gradient penalty",
    ),
    "batch norm and pairs": (
        {"d_norm": "batch", "loss": "relativistic"},
        "Batch norm in the discriminator does not fit the loss relativistic",
    ),
    "batch norm and averages": (
        {"d_norm": "batch", "loss": "relativistic_average"},
        "does not fit the loss relativistic_average",
    ),
    "no bound": ({"loss": "wasserstein"}, "With the loss wasserstein the discriminator's logits grow without limit"),
    "no bound of residual blocks, which have no norm": (
        {"data": "mnist", "architecture": "resnet", "loss": "wasserstein", "penalty": "none"},
        "With the loss wasserstein the discriminator's logits grow without limit",
    ),
    "smoothing of no labels": ({"loss": "hinge", "label_smoothing": 0.1}, "the loss hinge looks at no labels"),
    "noise of no labels": ({"loss": "hinge", "label_noise": 0.1}, "the loss hinge looks at no labels"),
    "a penalty of no weight": ({"penalty": "dragan", "gp_weight": 0}, "dragan does nothing at a weight of 0"),
    "norm of no generator's layer": ({"g_norm": "batch", "g_layers": 0}, "g_norm=batch does nothing"),
    "norm of no discriminator's layer": ({"d_norm": "layer", "d_layers": 0}, "d_norm=layer does nothing"),
    "norm of the first layer": ({"d_norm": "batch", "d_layers": 1, "penalty": "r1"}, "d_norm=batch does nothing"),
    "norms that the architecture does not use": (
        {"data": "mnist", "architecture": "resnet", "d_norm": "spectral", "g_norm": "batch"},
        "g_norm=batch and d_norm=spectral do nothing: the architecture resnet does not use them.",
    ),
    "an activation of no layer": (
        {"g_layers": 0, "g_activation": "tanh"},
        "g_activation=tanh does nothing: g_layers=0",
    ),
    "a schedule that ends where it starts": (
        {"schedule": "cosine", "schedule_floor": 1},
        "schedule=cosine does nothing",
    ),
    "the average where none is kept": ({"ema_decay": 0, "show_ema": False}, "show_ema=false does nothing: ema_decay=0"),
}
SURE = {
    "batch norm and cross-entropy": {"d_norm": "batch"},
    "layer norm and a slope": {"d_norm": "layer", "penalty": "r1"},
    "batch norm in the generator": {"g_norm": "batch", "penalty": "wgan_gp", "loss": "wasserstein"},
    "bound by a penalty": {"loss": "wasserstein", "penalty": "wgan_gp"},
    "bound by clipping": {"loss": "wasserstein", "weight_clip": 0.01},
    "bound by spectral norm": {"loss": "wasserstein", "d_norm": "spectral"},
    "labels": {"loss": "relativistic", "label_smoothing": 0.1, "label_noise": 0.1},
    "no penalty, no weight": {"penalty": "none", "gp_weight": 0},
    "sizes that the architecture does not use": {
        **{"data": "mnist", "architecture": "resnet", "g_layers": 0, "d_layers": 0, "g_units": 7},
    },
    "numbers of what is off": {"penalty": "none", "gp_weight": 5, "schedule_steps": 500, "g_optimizer": "sgd"},
}


@pytest.mark.parametrize("settings, words", DOUBTFUL.values(), ids=DOUBTFUL)
def test_what_disappoints_is_said_in_one_sentence(settings, words):
    """And allowed."""
    (sentence,) = doubtful(GANConfig.from_flat(settings))
    assert words in sentence and sentence.endswith(".") and len(sentence) < 250


@pytest.mark.parametrize("settings", SURE.values(), ids=SURE)
def test_what_goes_together_is_not_doubted(settings):
    assert doubtful(GANConfig.from_flat(settings)) == []


def test_the_idle_norm_is_idle():
    """What the doubt says: the plans are those without it."""
    from gan_core.networks.architectures import plans

    for settings in ({"g_norm": "batch", "g_layers": 0}, {"d_norm": "batch", "d_layers": 1}):
        config = GANConfig.from_flat(settings)
        assert plans(config, (2,)) == plans(config.updated({"g_norm": "none", "d_norm": "none"}), (2,))


@pytest.mark.parametrize("name", PRESETS)
def test_no_preset_is_refused_or_doubted(name):
    config = PRESETS[name].config
    assert refused(config) == [] and doubtful(config) == []


def test_what_somebody_asks_for_is_said_at_its_default_too():
    config = GANConfig.from_flat({"gp_weight": 0.1, "g_momentum": 0.0})
    assert doubtful(config) == []
    assert doubtful(config, ["gp_weight", "d_lr"]) == ["gp_weight=0.1 does nothing: there is no gradient penalty."]
    assert doubtful(config, {"g_momentum": "0"}) == ["g_momentum=0 does nothing: the optimizer adam has none."]


def test_train_says_what_does_nothing(capsys, tmp_path):
    arguments = ["--set", "penalty=none", "--set", "gp_weight=0.1", "--set", "g_layers=1", "--set", "g_units=4"]
    assert main(["train", *arguments, "--steps", "1", "--set", "d_units=4", "--set", "data_size=50"]) == 0
    assert "Note: gp_weight=0.1 does nothing: there is no gradient penalty." in capsys.readouterr().err


@pytest.mark.parametrize("preset", ["ring", "mnist"])
@pytest.mark.parametrize("name", RECIPES)
def test_no_recipe_is_refused_or_doubted(name, preset):
    config = RECIPES[name].of(PRESETS[preset].config)
    assert refused(config) == [] and doubtful(config) == []
