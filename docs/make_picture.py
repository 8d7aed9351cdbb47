"""Makes the README's pictures anew: `python docs/make_picture.py [NAME ...]`. Needs requirements-dev.txt, a Chromium,
and mnist.npz where GANscope finds it."""

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from PIL import Image  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

from tests.conftest import Server, chromium_path, wait_until  # noqa: E402

SHOTS = (
    ("playground.png", "light", "", 20_000),
    ("playground-dark.png", "dark", "?preset=grid&loss=non_saturating&penalty=none", 2_500),
    ("images.png", "light", "images?preset=mnist", 2_500),
    ("images-dark.png", "dark", "images?preset=mnist_conditional", 1_500),
)


def main(names: list[str]) -> None:
    """The pictures in docs/, or those named: SHOTS, compare.png, anatomy.png, lab.png, sweep.png, and the film."""
    sweeps = tempfile.mkdtemp(prefix="ganscope-pictures-")
    server = Server(GANSCOPE_SWEEPS_DIR=sweeps)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
            for name, scheme, query, steps in (shot for shot in SHOTS if not names or shot[0] in names):
                context = browser.new_context(viewport={"width": 1280, "height": 720}, color_scheme=scheme)
                page = context.new_page()
                page.goto(f"{server.url}/{query}")
                page.wait_for_selector(".st-key-live_samples .js-plotly-plot", timeout=60_000)
                page.click(".st-key-play button")

                def trained(page=page, steps=steps) -> bool:
                    shown = page.inner_text(".st-key-step_counter")
                    return int(shown.removeprefix("step").replace(",", "")) > steps

                wait_until(trained, 600, f"step {steps}")
                page.screenshot(path=ROOT / "docs" / name)
                context.close()
            if not names or "compare.png" in names:
                race(browser, server.url)
            if not names or "anatomy.png" in names:
                anatomy(browser, server.url)
            if not names or "lab.png" in names:
                lab(browser, server.url)
            if not names or "sweep.png" in names:
                sweep(browser, server.url, sweeps)
            if not names or "run.gif" in names:
                film(browser, server.url)
            browser.close()
    finally:
        server.stop()
        shutil.rmtree(sweeps, ignore_errors=True)


FILM_STEPS = 3_000
FILM_WIDTH = 800
FILM_COLORS = 192


def film(browser, url: str) -> None:
    """run.gif: the first steps of a run on the page Points, as they are seen."""
    page = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
    page.goto(f"{url}/?preset=ring")
    page.wait_for_selector(".st-key-live_samples .js-plotly-plot", timeout=60_000)
    frames = [page.screenshot()]
    page.click(".st-key-play button")
    page.mouse.move(0, 0)
    while True:
        step = int(page.inner_text(".st-key-step_counter").removeprefix("step").replace(",", ""))
        if step:
            frames.append(page.screenshot())
        if step > FILM_STEPS:
            break
        page.wait_for_timeout(150)
    images = [Image.open(io.BytesIO(frame)).convert("RGB") for frame in frames]
    size = FILM_WIDTH, FILM_WIDTH * 720 // 1280
    small = [image.resize(size, Image.Resampling.LANCZOS) for image in images]
    film = [image.quantize(FILM_COLORS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE) for image in small]
    film[0].save(
        ROOT / "docs" / "run.gif",
        save_all=True,
        append_images=film[1:],
        duration=[1_000, *[250] * (len(film) - 2), 2_000],
        loop=0,
        optimize=True,
    )


def race(browser, url: str) -> None:
    """compare.png: three generator rates, seen a while ago."""
    page = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
    page.goto(f"{url}/compare")
    values = page.locator("[class*=st-key-race_values_g_lr] input")
    values.wait_for(timeout=60_000)
    values.fill("0.0002, 0.001, 0.005")
    page.locator(".st-key-race_go button").first.click()
    page.locator(".st-key-play button").first.click(timeout=60_000)
    plot = page.locator("[class*=st-key-lane_plot_2] .ganscope-plot")
    wait_until(lambda: int(plot.get_attribute("data-step") or 0) > 2_500, 600, "step 2,500")
    page.mouse.move(0, 0)
    page.screenshot(path=ROOT / "docs" / "compare.png")


def anatomy(browser, url: str) -> None:
    """anatomy.png: an early step in slow motion, where the gradient goes through the discriminator."""
    page = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
    page.goto(f"{url}/?preset=ring&latent_dim=2")
    page.locator(".st-key-anatomy button").first.click(timeout=60_000)
    page.click(".st-key-play button")
    wait_until(lambda: int(page.inner_text(".st-key-step_counter").split()[-1].replace(",", "")) > 100, 600, "step 100")
    page.click(".st-key-play button")
    wait_until(lambda: "paused" in page.inner_text(".st-key-steps_per_second"), 60, "the pause")
    drawing = page.locator(".ganscope-anatomy")
    for phase in range(1, 13):
        page.keyboard.press(".")
        wait_until(lambda n=phase: drawing.get_attribute("data-phase") == str(n), 60, f"phase {phase}")
    page.mouse.move(0, 0)
    page.wait_for_timeout(1_000)
    page.screenshot(path=ROOT / "docs" / "anatomy.png")


def lab(browser, url: str) -> None:
    """lab.png: a lab after its prediction, when the coach has named what the lab is about."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(f"{url}/?lab=collapse")
    page.get_by_text("Two or three", exact=True).first.click(timeout=60_000)
    page.locator(".st-key-play button:enabled").first.click(timeout=60_000)
    page.mouse.move(0, 0)
    wait_until(lambda: "Mode collapse" in page.inner_text(".ganscope-coach"), 300, "the collapse")
    page.wait_for_timeout(2_000)
    page.screenshot(path=ROOT / "docs" / "lab.png")


SWEEP = ("--preset", "ring", "--over", "g_lr=0.0001,0.001,0.01", "--over", "penalty=none,r1,r1_r2", "--seeds", "3")


def sweep(browser, url: str, folder: str) -> None:
    """sweep.png: the map of three rates and three penalties, three seeds each, in pictures."""
    command = [sys.executable, "-m", "gan_core", "sweep", *SWEEP, "--seconds", "12", "--save", "ring", "--looks", "5"]
    subprocess.run([*command, "--sweeps-dir", folder], cwd=ROOT, check=True, timeout=1_800)
    page = browser.new_context(viewport={"width": 1280, "height": 860}).new_page()
    page.goto(f"{url}/sweep")
    page.wait_for_selector(".st-key-sweep_map .js-plotly-plot", timeout=90_000)
    page.wait_for_timeout(3_000)  # what stands above the map has its height
    page.evaluate(
        """document.querySelector(".stMain").scrollBy(0,
            document.querySelector(".st-key-sweep_map_bar").getBoundingClientRect().top - 70)"""
    )
    page.wait_for_timeout(1_000)
    page.screenshot(path=ROOT / "docs" / "sweep.png")


if __name__ == "__main__":
    main(sys.argv[1:])
