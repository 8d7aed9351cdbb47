"""A user's own file in a real browser: dropped, looked at, corrected, used; light, dark and on a phone."""

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import wait_until
from tests.support.tab import PLAY_SECONDS

pytestmark = pytest.mark.browser

SETTINGS = "images?data=picture_file&filters=8&batch_size=16&latent_dim=8"


def discs(folder: Path, n=48) -> Path:
    """A zip of discs and squares on a ground, in folders of two levels."""
    rng = np.random.default_rng(0)
    path = folder / "shapes.zip"
    y, x = np.mgrid[:40, :40]
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(n):
            cx, cy, r = *rng.uniform(12, 28, 2), rng.uniform(5, 11)
            inside = (x - cx) ** 2 + (y - cy) ** 2 < r * r if i % 2 else np.maximum(abs(x - cx), abs(y - cy)) < r
            pixels = np.where(inside[..., None], rng.integers(120, 256, 3), rng.integers(0, 80, 3)).astype(np.uint8)
            blob = io.BytesIO()
            Image.fromarray(pixels).save(blob, "PNG")
            archive.writestr(f"{('train', 'test')[i % 8 > 5]}/{('square', 'disc')[i % 2]}/{i:03d}.png", blob.getvalue())
    return path


def drop(tab, kind, path):
    tab.page.set_input_files(f".st-key-upload_file_{kind} input[type=file]", path)


def shot(tab, name):
    """A picture of the page, for who looks at it."""
    folder = os.environ.get("SHOTS_FOLDER")
    if folder:
        tab.page.screenshot(path=f"{folder}/{name}.png")


def test_pictures_are_looked_at_corrected_and_used(open_tab, tmp_path):
    tab = open_tab(SETTINGS)
    drop(tab, "images", discs(tmp_path))
    sheet = tab.page.locator(".ganscope-sheet img")
    wait_until(lambda: sheet.count() == 16, 30, "sixteen pictures")
    sheet.first.scroll_into_view_if_needed()
    assert sheet.first.evaluate("image => image.naturalWidth") == 40
    said = tab.text("own_file_images")
    assert "36 images, 28 x 28, in colour, 2 classes, 12 more held out" in said and "disc 18 · square 18" in said
    for scheme in ("light", "dark"):
        tab.page.emulate_media(color_scheme=scheme)
        tab.page.wait_for_timeout(300)
        shot(tab, f"own_images_{scheme}")
    tab.page.emulate_media(color_scheme="light")
    # An answer has it read anew; the picture of the run stays where it was.
    place = tab.page.locator(".st-key-live_samples").bounding_box()
    chooser = tab.page.locator(".st-key-own_classes_from_images input")
    chooser.scroll_into_view_if_needed()
    tab.page.wait_for_timeout(1_000)  # scrolling closes an open list
    chooser.fill("no classes")
    tab.page.wait_for_selector("[role=option]", timeout=30_000)
    chooser.press("Enter")
    wait_until(lambda: "disc 18" not in tab.text("own_file_images"), 30, "no classes")
    assert tab.page.locator(".st-key-live_samples").bounding_box() == place
    button = tab.page.locator(".st-key-use_own_images button:visible")
    button.scroll_into_view_if_needed()
    shot(tab, "own_images_questions")
    button.click()
    wait_until(lambda: "shapes.zip: 36 images" in tab.page.inner_text("body"), 30, "the file's name")
    tab.play(3)


def test_points_with_a_scatter_whose_axes_have_their_own_spans(open_tab, tmp_path):
    tab = open_tab("?data=file&g_units=8&d_units=8")
    path = tmp_path / "geyser.csv"
    rng = np.random.default_rng(0)
    lines = [f"{1.6 + 3.5 * rng.random():.2f},{43 + 53 * rng.random():.1f}" for _ in range(200)]
    path.write_text("eruptions,waiting\n" + "\n".join(lines))
    drop(tab, "points", path)
    plot = tab.page.locator(".st-key-own_points_scatter .js-plotly-plot")
    plot.wait_for(timeout=30_000)
    spans = """() => { const plot = document.querySelector(".st-key-own_points_scatter .ganscope-plot");
        const {xaxis, yaxis} = plot._fullLayout;
        return [xaxis.range[1] - xaxis.range[0], yaxis.range[1] - yaxis.range[0]]; }"""
    x, y = tab.page.evaluate(spans)
    assert 3 < x < 5 and 45 < y < 65
    plot.scroll_into_view_if_needed()
    for scheme in ("light", "dark"):
        tab.page.emulate_media(color_scheme=scheme)
        tab.page.wait_for_timeout(300)
        shot(tab, f"own_points_{scheme}")
    tab.page.locator(".st-key-use_own_points button:visible").click()
    wait_until(lambda: "geyser.csv: 200 points" in tab.page.inner_text("body"), 30, "the file's name")


def test_a_file_of_pictures_on_the_page_of_points_is_taken_to_the_other(open_tab, tmp_path):
    tab = open_tab("?data=file&g_units=8&d_units=8")
    drop(tab, "points", discs(tmp_path))
    use = tab.page.get_by_role("button", name="Use these on Images")
    use.wait_for(timeout=30_000)
    use.click()
    tab.page.locator(".st-key-live_real").wait_for(timeout=60_000)
    wait_until(lambda: "shapes.zip: 36 images" in tab.page.inner_text("body"), 30, "the file's name")
    assert "data=picture_file" in tab.settings()


def test_on_a_phone(open_tab, tmp_path):
    tab = open_tab(SETTINGS)
    tab.page.set_viewport_size({"width": 390, "height": 844})
    tab.page.locator("[data-testid=stExpandSidebarButton]").click()
    drop(tab, "images", discs(tmp_path))
    sheet = tab.page.locator(".ganscope-sheet img")
    wait_until(lambda: sheet.count() == 16, 30, "sixteen pictures")
    sheet.first.scroll_into_view_if_needed()
    shot(tab, "own_images_phone")
    tab.page.locator(".st-key-use_own_images button:visible").scroll_into_view_if_needed()
    box = tab.page.locator(".st-key-use_own_images button:visible").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390


def test_a_large_file_is_read_while_the_page_answers(open_tab, tmp_path):
    """Twenty thousand pictures take seconds: progress is shown, knobs turn, and Stop ends it."""
    tab = open_tab(SETTINGS)
    path = tmp_path / "many.zip"
    blob = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)).save(blob, "PNG")
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(5_000):
            archive.writestr(f"{i}.png", blob.getvalue())
    drop(tab, "images", path)
    stop = tab.page.locator(".st-key-own_stop_images button")
    stop.wait_for(timeout=60_000)
    tab.play(1)  # the page goes on meanwhile
    if stop.count():
        stop.click()
        wait_until(
            lambda: "was not read to its end" in tab.page.inner_text("body") or sheet_is_there(tab),
            PLAY_SECONDS,
            "the end of the reading",
        )


def sheet_is_there(tab) -> bool:
    return tab.page.locator(".ganscope-sheet").count() > 0
