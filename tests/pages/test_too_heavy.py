"""Sizes that are too heavy for a minute are said before Play, with what would fit."""

from types import SimpleNamespace

import pytest

from gan_core.settings.config import GANConfig
from gan_core.settings.presets import PRESETS
from pages.ui.run import settings_panel


@pytest.fixture(autouse=True)
def laptop(monkeypatch):
    tab = SimpleNamespace(operations_per_second=0.0)
    monkeypatch.setattr(settings_panel.page_state, "tab", lambda: tab)
    return tab


def test_usual_sizes_are_not_spoken_of():
    for name in ("ring", "digits", "mnist", "stacked_mnist", "tutorial-outline"):
        assert settings_panel.too_heavy(PRESETS[name].config) == ""


def test_what_would_fit_is_said_and_fits(laptop):
    heavy = GANConfig.from_flat({"data": "mnist", "filters": 128})
    said = settings_panel.too_heavy(heavy)
    assert said.startswith("A step takes roughly 8") and "What would fit: Base filters 48 (about " in said
    assert settings_panel.too_heavy(heavy.updated({"filters": 48})) == ""
    laptop.operations_per_second = 1e13  # once a run has shown that this machine is faster
    assert settings_panel.too_heavy(heavy) == ""


def test_another_architecture_is_named_where_no_size_would_fit():
    said = settings_panel.too_heavy(PRESETS["tutorial-dcgan64"].config)
    assert "roughly 5 s" in said and "Architecture dcgan_resize and Base filters 8" in said
    enormous = GANConfig.from_flat({"data": "cifar10", "data.size": "64", "batch_size": 1024, "d_steps": 10})
    assert "Choose a smaller architecture or a smaller batch." in settings_panel.too_heavy(enormous)
