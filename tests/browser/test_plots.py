"""How plots are drawn, in a real browser: what was empty first, without WebGL or reading canvases, under a finger, at
every height, in colours that can be told apart, and in words."""

import base64
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from gan_core.data import loading
from gan_core.data.pictures import Pictures
from gan_core.recording.history import History
from gan_core.recording.snapshot import Snapshot
from gan_core.settings.presets import PRESETS
from gan_core.training.train_step import COLUMNS
from pages.ui.components.liveplot import pack
from pages.ui.figures import image_figures, loss_figures, point_figures
from tests.conftest import chromium_path, wait_until
from tests.support.tab import IMAGES, SMALL, WINDOW, Tab

# -- the component alone, fed by hand -----------------------------------------------------------------------

ALONE = """async ({ names }) => {
  const { LivePlot } = await import("/app/static/code/test/main.js");
  window.plots = Object.fromEntries(names.map((name) => {
    const parent = document.createElement("div");
    parent.style.width = "600px";
    document.body.append(parent);
    return [name, new LivePlot(parent)];
  }));
  window.show = async (name, packed) => {
    const plot = window.plots[name], before = plot.frames;
    plot.show(Uint8Array.from(atob(packed), (c) => c.charCodeAt(0)), "test");
    for (let i = 0; i < 400 && plot.frames === before; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    if (plot.frames === before) throw new Error(`${name} was not drawn: ${plot.node.textContent}`);
  };
  window.ranges = (name) => Object.fromEntries(["xaxis", "yaxis", "yaxis2"].map((axis) => {
    const { range, autorange } = window.plots[name].node._fullLayout[axis] ?? {};
    return [axis, [autorange ?? null, ...(range ?? [])]];
  }));
}"""

# Counts what reads a canvas or asks for WebGL, and answers a reader with noise, as browsers that guard against
# fingerprinting do.
GUARDED = """
window.asked = { read: 0, webgl: 0 };
for (const [owner, name] of [[HTMLCanvasElement, "toDataURL"], [HTMLCanvasElement, "toBlob"],
    [CanvasRenderingContext2D, "getImageData"]]) {
  const honest = owner.prototype[name];
  owner.prototype[name] = function (...args) {
    window.asked.read += 1;
    const found = honest.apply(this, args);
    if (found?.data) for (let i = 0; i < found.data.length; i++) found.data[i] = (found.data[i] * 31 + 97 * i) % 256;
    return found;
  };
}
const context = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  if (String(kind).includes("webgl")) window.asked.webgl += 1;
  return context.call(this, kind, ...rest);
};
"""


class Alone:
    """Plots by name, on a page with nothing else."""

    def __init__(self, browser, server, names):
        self.page = browser.new_context(viewport=WINDOW).new_page()
        self.page.add_init_script(GUARDED)
        self.page.goto(f"{server.url}/app/static/code/test/main.js")
        self.page.evaluate("document.body.replaceChildren()")
        self.page.evaluate(ALONE, {"names": names})

    def show(self, name, figure):
        packed = base64.b64encode(pack(figure)).decode()
        self.page.evaluate("([name, packed]) => window.show(name, packed)", [name, packed])

    def ranges(self, name):
        """axis -> [autorange, from, to], as drawn."""
        return self.page.evaluate("(name) => window.ranges(name)", name)

    def shot(self, name, inside=".nsewdrag"):
        """uint8 [H, W, 3], what is seen of a plot."""
        node = self.page.evaluate_handle("(name) => window.plots[name].node", name).as_element()
        blob = node.query_selector(inside).screenshot()
        return np.asarray(Image.open(io.BytesIO(blob)).convert("RGB"))


@pytest.fixture
def alone(server, chromium):
    """Opens such pages."""
    opened = []

    def opener(*names):
        opened.append(Alone(chromium, server, list(names)))
        return opened[-1]

    yield opener
    for one in opened:
        one.page.context.close()


def points_at(step, scale=1.0):
    """A snapshot of `ring` at a step; at 0 without anything."""
    config = PRESETS["ring"].config
    data = loading.draw("ring", 300, 0, config.params())
    if step == 0:
        return Snapshot(config, data, "paused")
    rng, history = np.random.default_rng(step), History()
    history.append(scale * (0.2 + rng.random((step, len(COLUMNS))).astype(np.float32)))
    counts = (scale * rng.integers(0, 400, 8)).astype(int).tolist()
    frame = {
        "samples": rng.normal(size=(200, 2)).astype(np.float32),
        "heat": rng.random((60, 60), np.float32),
        "history": history.frame(),
        "metrics": {"mode_counts": counts, "samples": 2_500},
    }
    return Snapshot(config, data, "playing", step=step, frame=frame)


def images_at(step):
    """A snapshot of images with known pixels."""
    rng = np.random.default_rng(step)
    pixels = rng.integers(0, 256, (40, 8, 8, 3), np.uint8)
    data = Pictures(pixels, (np.arange(40) % 4).astype(np.int32), tuple("abcd"))
    if step == 0:
        return Snapshot(PRESETS["digits"].config, data, "paused")
    frame = {
        "grid": pixels[:16],
        "p_real": np.linspace(0, 1, 16, dtype=np.float32),
        "metrics": {"histogram": [0.7, 0.3, 0.0, 0.0], "histogram_real": [0.25] * 4},
    }
    return Snapshot(PRESETS["digits"].config, data, "playing", step=step, frame=frame)


def zeros_at(step):
    """A run whose generator has captured nothing so far."""
    snapshot = points_at(step)
    return replace(snapshot, frame=snapshot.frame | {"metrics": {"mode_counts": [0] * 8, "samples": 2_500}})


DRAWN = {
    "plane": lambda snapshot: point_figures.plane(snapshot, set(point_figures.LAYERS)),
    "training": lambda snapshot: point_figures.plane(snapshot, set(point_figures.LAYERS), alone=False),
    "losses": loss_figures.losses,
    "log": lambda snapshot: loss_figures.losses(snapshot, log=True),
    "raw": lambda snapshot: loss_figures.losses(snapshot, smoothed=False),
    "modes": point_figures.mode_chart,
    "overlay": lambda snapshot: loss_figures.overlay([snapshot, snapshot], ["a", "b"], False),
}
# Empty and filled; a branch or an opened run, whose first frame has all; Reset; back to before the first scores.
LIVES = {
    "filled": [points_at(0), points_at(20)],
    "captured late": [points_at(0), zeros_at(1), points_at(300)],
    "branch": [points_at(300), points_at(0), points_at(40)],
    "reset": [points_at(0), points_at(300, 3.0), points_at(0)],
    "past": [points_at(300, 3.0), replace(points_at(300), frame=points_at(300).frame | {"metrics": {}, "at": 2})],
}


@pytest.mark.parametrize("life", LIVES)
def test_a_plot_stands_on_the_axes_of_what_it_shows_whatever_it_showed_before(alone, life):
    page = alone(*DRAWN, *(f"{name} anew" for name in DRAWN))
    for name, make in DRAWN.items():
        for snapshot in LIVES[life]:
            page.show(name, make(snapshot))
        page.show(f"{name} anew", make(LIVES[life][-1]))
        assert page.ranges(name) == page.ranges(f"{name} anew"), name


def test_bars_of_classes_stand_on_their_axes(alone):
    page = alone("classes", "anew")
    for snapshot in (images_at(0), images_at(1), images_at(0), images_at(2)):
        page.show("classes", image_figures.classes(snapshot))
    page.show("anew", image_figures.classes(images_at(2)))
    assert page.ranges("classes") == page.ranges("anew")
    assert page.ranges("classes")["yaxis"][2] >= 0.7


def test_images_reach_the_eye_as_they_are_though_canvases_are_read_with_noise(alone):
    page = alone("grid", "framed")
    snapshot = images_at(3)
    page.show("grid", image_figures.grid(snapshot, 4, False, []))
    page.page.wait_for_timeout(200)  # a data URI is decoded in its own time
    shot = page.shot("grid").astype(int)
    height, width = shot.shape[:2]
    for i, picture in enumerate(snapshot.frame["grid"]):
        left, top = i % 4, i // 4
        for row, column in ((0, 0), (3, 5), (7, 7)):
            x = int((left + (column + 1.5) / 10) * width / 4)
            y = int((top + (row + 1.5) / 10) * height / 4)
            assert np.abs(shot[y, x] - picture[row, column]).max() <= 2, (i, row, column)
    page.show("framed", image_figures.grid(snapshot, 4, True, []))
    page.page.wait_for_timeout(200)
    shot = page.shot("framed").astype(int)
    corner = lambda i: shot[int((i // 4 + 0.05) * len(shot) / 4), int((i % 4 + 0.05) * shot.shape[1] / 4)]  # noqa: E731
    assert corner(0)[0] > corner(0)[2] + 60  # p(real) = 0: orange
    assert corner(15)[2] > corner(15)[0] + 60  # 1: blue
    assert page.page.evaluate("window.asked") == {"read": 0, "webgl": 0}


def test_the_plane_needs_no_webgl_and_reads_no_canvas(alone):
    page = alone("plane")
    snapshot = points_at(5)
    frame = snapshot.frame | {"samples": np.array([[0.75, 0.75]] * 50, np.float32)}
    frame["heat"] = np.tile(np.linspace(0, 1, 60, dtype=np.float32), (60, 1))  # left orange, right blue
    page.show("plane", point_figures.plane(replace(snapshot, frame=frame), {"real", "fake", "heat"}))
    page.page.wait_for_timeout(200)
    shot = page.shot("plane").astype(int)
    height, width = shot.shape[:2]
    at = lambda x, y: shot[int((1.5 - y) / 3 * height), int((x + 1.5) / 3 * width)]  # noqa: E731
    assert at(0.75, 0.75)[0] > at(0.75, 0.75)[2] + 100  # a generated point
    assert at(0.0, 1.0)[2] > at(0.0, 1.0)[0] + 100  # a real one
    assert at(-1.4, 0.3)[0] > at(-1.4, 0.3)[2] + 20 and at(1.4, 0.3)[2] > at(1.4, 0.3)[0] + 20  # p(real)
    assert page.page.evaluate("window.asked") == {"read": 0, "webgl": 0}


def test_points_move_with_the_axes_and_go_with_their_name_in_the_legend(alone):
    page = alone("plane")
    snapshot = points_at(5)
    samples = np.array([[0.75, 0.75]] * 50, np.float32)
    page.show("plane", point_figures.plane(replace(snapshot, frame={"samples": samples}), {"fake"}))
    orange = lambda: np.argwhere((shot := page.shot("plane").astype(int))[..., 0] > shot[..., 2] + 100)  # noqa: E731
    before = orange().mean(0)
    box = page.page.locator(".nsewdrag").bounding_box()
    page.page.mouse.move(box["x"] + 200, box["y"] + 150)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + 150, box["y"] + 190, steps=4)
    page.page.wait_for_timeout(100)
    while_dragged = orange().mean(0)
    page.page.mouse.up()
    np.testing.assert_allclose(while_dragged - before, [40, -50], atol=3)
    page.page.wait_for_timeout(400)
    np.testing.assert_allclose(orange().mean(0) - before, [40, -50], atol=3)
    page.page.locator(".legendtoggle").first.click()
    wait_until(lambda: not len(orange()), 10, "the points to go")
    page.show("plane", point_figures.plane(replace(snapshot, frame={"samples": samples}), {"fake"}))
    assert not len(orange())  # and the next frame keeps it so


def test_a_plot_can_be_downloaded_with_its_points(alone):
    page = alone("plane")
    page.show("plane", point_figures.plane(points_at(5), {"real", "fake", "heat"}))
    page.page.mouse.move(300, 200)
    with page.page.expect_download(timeout=90_000) as download:
        page.page.locator('[data-title="Download plot as PNG"]').click(force=True)
    pixels = np.asarray(Image.open(download.value.path()).convert("RGB")).astype(int)
    assert (pixels[..., 0] > pixels[..., 2] + 100).sum() > 500  # generated points
    assert (pixels[..., 2] > pixels[..., 0] + 100).sum() > 100  # real ones


def test_who_hears_the_page_is_told_what_a_plot_shows(alone):
    page = alone("losses")
    page.show("losses", loss_figures.losses(points_at(20)))
    image = page.page.get_by_role("img", name="Losses up to step 20: generator")
    assert image.count() == 1


# -- the pages ----------------------------------------------------------------------------------------------


def test_without_webgl_the_points_are_there(server, chromium):
    flags = ["--no-sandbox", "--disable-3d-apis"]
    browser = chromium.browser_type.launch(executable_path=chromium_path(), args=flags)
    try:
        tab = Tab(browser.new_context(viewport=WINDOW), f"{server.url}/{SMALL}")
        assert tab.page.evaluate("document.createElement('canvas').getContext('webgl')") is None
        blob = tab.page.locator(".st-key-live_samples .nsewdrag").screenshot()
        shot = np.asarray(Image.open(io.BytesIO(blob)).convert("RGB")).astype(int)
        assert (shot[..., 2] > shot[..., 0] + 100).sum() > 200  # real points
        assert tab.errors == []
    finally:
        browser.close()


@pytest.mark.parametrize("query", [SMALL, IMAGES])
def test_the_plots_take_the_height_there_is(open_tab, query):
    tab = open_tab(query)
    box = lambda key: tab.page.locator(key).first.bounding_box()  # noqa: E731
    main = ".st-key-live_samples .ganscope-plot"
    least = 0.55 if query == SMALL else 0.49  # images: the scores have a row of their own
    keys = [".st-key-transport", "[class*=st-key-scrubber_]", ".st-key-live_losses", ".st-key-display"]
    keys += ["[class*=st-key-keep_] button", "[class*=st-key-present_] button"]
    for width, height in ((1280, 720), (1366, 768), (1920, 1080), (2560, 1440)):
        tab.page.set_viewport_size({"width": width, "height": height})
        wait_until(lambda h=height: box(main)["height"] >= least * h, 10, f"the plot to take its part of {height}")
        lowest = max(box(key)["y"] + box(key)["height"] for key in keys)
        assert 0.93 * height <= lowest <= height, (width, height)  # all is seen, and nothing is left empty
        if query == SMALL:  # two rows of scores beside the plane left the losses 180 pixels
            assert box(".st-key-live_losses .ganscope-plot")["height"] >= 0.3 * height, (width, height)
        drawn = box(f"{main} .nsewdrag")
        assert drawn["width"] == pytest.approx(drawn["height"], rel=0.03), (width, height)


def test_a_finger_on_a_plot_scrolls_the_page(server, chromium):
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    try:
        tab = Tab(context, f"{server.url}/{SMALL}")
        for plot in ("samples", "losses", "modes"):
            place = tab.page.locator(f".st-key-live_{plot} .nsewdrag").first
            place.scroll_into_view_if_needed()
            tab.page.wait_for_timeout(300)
            box = place.bounding_box()
            before = box["y"]
            touch = context.new_cdp_session(tab.page)
            x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
            up = -120 if plot == "samples" else 120
            touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
            for i in range(1, 9):
                moved = [{"x": x, "y": y + up * i / 8}]
                touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": moved})
                tab.page.wait_for_timeout(20)
            touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
            gone = lambda p=place, b=before: abs(p.bounding_box()["y"] - b) > 40  # noqa: E731
            wait_until(gone, 10, f"the page to scroll under a finger on {plot}")
        assert tab.errors == []
    finally:
        context.close()


PHONES = {
    name: {"viewport": {"width": width, "height": height}, "device_scale_factor": ratio, "is_mobile": True}
    | {"has_touch": True}
    for name, width, height, ratio in (("iPhone 13", 390, 664, 3), ("Galaxy S9+", 320, 658, 4.5))
}
PAGES = ("", "images", "compare", "sweep", "runs", "learn", "tutorials", "scores", "guide")


@pytest.mark.parametrize("phone", PHONES)
def test_no_page_scrolls_sideways_on_a_phone(server, chromium, phone):
    context = chromium.new_context(**PHONES[phone])
    try:
        page = context.new_page()
        for path in PAGES:
            page.goto(f"{server.url}/{path}")
            page.wait_for_selector("[data-testid=stMainBlockContainer] :is(h1, button)", timeout=90_000)
            page.wait_for_timeout(700)
            beyond = """(node) => node.scrollWidth - node.clientWidth"""
            for part in ("html", "[data-testid=stMain]"):
                assert page.locator(part).evaluate(beyond) <= 0, (path, part)
    finally:
        context.close()


def test_the_past_is_looked_at_by_touch(server, chromium):
    context = chromium.new_context(**PHONES["iPhone 13"])
    try:
        tab = Tab(context, f"{server.url}/{SMALL}")
        tab.play(60)
        tab.pause()
        rail = tab.page.locator(".ganscope-scrubber input[type=range]")
        rail.scroll_into_view_if_needed()
        box = rail.bounding_box()
        stood = tab.step()
        tab.page.touchscreen.tap(box["x"] + 0.3 * box["width"], box["y"] + box["height"] / 2)
        wait_until(lambda: 0 <= tab.attribute("samples", "step") < stood, 20, "a step of the past")
        told = rail.get_attribute("aria-valuetext")
        assert told and "step" in told
        assert tab.errors == []
    finally:
        context.close()


# The contrast of every text that is seen with what is behind it (WCAG 2.2, 1.4.3): [[ratio, text, colours], ...].
CONTRAST = r"""() => {
  const parse = (text) => {
    const numbers = (text.replace(/^color\(srgb/, "").match(/[\d.e-]+/g) ?? []).map(Number);
    if (!/^(rgba?\(|color\(srgb )/.test(text)) throw new Error(`no colour: ${text}`);
    const scale = text.startsWith("color") ? 255 : 1;
    return [...numbers.slice(0, 3).map((n) => n * scale), numbers[3] ?? 1];
  };
  const over = ([r, g, b, a], ground) => [r, g, b].map((v, i) => v * a + ground[i] * (1 - a));
  const luminance = (color) => {
    const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = color.map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node, box) => {
    const chain = [];
    const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
    for (let at = node; at; at = at.parentElement) {
      const { left, right, top, bottom } = at.getBoundingClientRect();
      const beside = x < left || x > right || y < top || y > bottom;
      if (!beside || bottom - top > 60) chain.unshift(at); // a slider's value is beside its thumb
    }
    return chain.reduce((ground, at) => {
      const style = getComputedStyle(at);
      const [r, g, b, a] = parse(style.backgroundColor);
      return over([r, g, b, a * Number(style.opacity)], ground);
    }, [255, 255, 255]);
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), node = walker.currentNode.parentElement;
    if (!text || !node || node.closest("script, style, noscript, [disabled], [aria-disabled=true]")) continue;
    if (node.closest("[data-testid=stIconMaterial], .modebar")) continue;
    if (!node.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const range = document.createRange();
    range.selectNode(walker.currentNode);
    const box = range.getBoundingClientRect();
    if (!box.width || !box.height || box.right < 0) continue;
    const style = getComputedStyle(node);
    let alpha = 1;
    for (let at = node; at; at = at.parentElement) alpha *= Number(getComputedStyle(at).opacity);
    const [r, g, b, a] = parse(node.closest("svg") ? style.fill : style.color);
    const ground = behind(node.closest("svg") ?? node, box);
    const [x, y] = [luminance(over([r, g, b, a * alpha], ground)), luminance(ground)].sort((p, q) => q - p);
    const ratio = (x + 0.05) / (y + 0.05);
    const size = parseFloat(style.fontSize), bold = Number(style.fontWeight) >= 700;
    const wanted = size >= 24 || (bold && size >= 18.66) ? 3 : 4.5;
    if (ratio < wanted) found.push([Math.round(100 * ratio) / 100, text.slice(0, 40), style.color, `${ground}`]);
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(server, chromium, scheme):
    context = chromium.new_context(viewport={"width": 1280, "height": 720}, color_scheme=scheme)
    try:
        page = context.new_page()
        faint = {}
        for path in PAGES:
            page.goto(f"{server.url}/{path}")
            page.wait_for_selector("[data-testid=stMainBlockContainer] :is(h1, button)", timeout=90_000)
            if path in ("", "images"):
                page.wait_for_selector(".st-key-live_losses .js-plotly-plot", timeout=90_000)
            page.wait_for_timeout(700)
            if found := page.evaluate(CONTRAST):
                faint[path] = found
        assert faint == {}
    finally:
        context.close()


@pytest.mark.parametrize("query", [SMALL, IMAGES])
def test_a_mark_in_a_plot_has_the_style_of_few_elements_worked_out(shared_tab, chromium, query):
    """Plotly measures each label as it draws it. A rule of the page's style that looks inside (`:has`) and ends in no
    class made the browser work out the style of the whole page at each of them: two thirds of what a frame cost."""
    tab = shared_tab(query)
    chromium.start_tracing(page=tab.page, categories=["devtools.timeline"])
    tab.page.evaluate(
        """() => { const plot = document.querySelector(".st-key-live_losses svg");
        for (let i = 0; i < 20; i++) {
            const label = document.createElementNS("http://www.w3.org/2000/svg", "text");
            label.textContent = i; plot.append(label); label.getBoundingClientRect();
            label.remove(); document.body.getBoundingClientRect(); } }"""
    )
    events = json.loads(chromium.stop_tracing())["traceEvents"]
    counts = [event["args"].get("elementCount", 0) for event in events if event["name"] == "UpdateLayoutTree"]
    assert len(counts) >= 20
    assert sum(counts) / len(counts) < 100  # 20 as it is, 640 before, of 2,800 on the page
