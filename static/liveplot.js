// Draws figures in place: the first frame makes a plot, every later one goes through Plotly.react into the same
// node, so zoom, hover and size stay. Frames come as bytes (pages/ui/liveplot packs them).

const ASSETS = new URL("./", import.meta.url);
const BASE = new URL("../../", ASSETS); // where GANscope's addresses begin: behind a proxy's prefix, or server.baseUrlPath
let plotly = null;

function loadPlotly(version) {
  plotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL(`plotly.min.js?v=${version}`, ASSETS).href;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      plotly = null;
      reject(new Error("plotly.min.js could not be loaded"));
    };
    document.head.append(script);
  });
  return plotly;
}

const TYPES = { f4: Float32Array, i4: Int32Array, u1: Uint8Array };

// {"$": [offset, count, type]} or {"$": ..., "rows": n} stand for buffers behind the JSON.
function unpack(bytes) {
  const copy = bytes.slice(); // aligned, and ours to keep
  const size = new DataView(copy.buffer).getUint32(0, true);
  const base = 4 + size;
  const text = new TextDecoder().decode(copy.subarray(4, base));
  return JSON.parse(text, (_, value) => {
    if (!value || typeof value !== "object" || !value.$) return value;
    const [offset, count, type] = value.$;
    const array = new TYPES[type](copy.buffer, base + offset, count);
    if (!value.rows) return array;
    const width = count / value.rows;
    return Array.from({ length: value.rows }, (_, i) => array.subarray(i * width, (i + 1) * width));
  });
}

// Okabe and Ito's palette: told apart by colour-blind eyes, lighter blue on dark.
function palette(element) {
  const style = getComputedStyle(element);
  const read = (name, fallback) => style.getPropertyValue(name).trim() || fallback;
  const background = read("--st-background-color", "#ffffff");
  const dark = luminance(background) < 0.4;
  return {
    $text: read("--st-text-color", dark ? "#fafafa" : "#31333f"),
    $bg: background,
    $grid: dark ? "rgba(250,250,250,0.16)" : "rgba(49,51,63,0.14)",
    $line: dark ? "rgba(250,250,250,0.55)" : "rgba(49,51,63,0.55)",
    $real: dark ? "#56b4e9" : "#0072b2",
    $fake: dark ? "#ff9e3d" : "#d9680a",
    $fakeText: dark ? "#ff9e3d" : "#a84c00", // letters need more contrast than areas
    $realTint: dark ? "#17476b" : "#a8d3f0",
    $fakeTint: dark ? "#5e3610" : "#f8cfa5",
    $mid: dark ? "#1c1f26" : "#f7f7f7",
    $font: read("--st-font", "sans-serif"),
  };
}

// Red, green and blue in 0..255. The browser itself resolves the colour, in a style: no canvas is read back, for
// browsers that guard against fingerprinting answer that with noise.
const probe = document.createElement("span");
const known = new Map();

function rgb(color) {
  if (!known.has(color)) {
    probe.style.color = "";
    probe.style.color = color;
    document.body.append(probe);
    const computed = getComputedStyle(probe).color;
    probe.remove();
    const scale = computed.startsWith("color(") ? 255 : 1;
    const numbers = computed.replace(/^[^(]*\((srgb)?/, "").match(/[\d.e-]+/g) ?? [0, 0, 0];
    known.set(color, numbers.slice(0, 3).map((n) => scale * Number(n)));
  }
  return known.get(color);
}

function luminance(color) {
  const [r, g, b] = rgb(color);
  return (0.299 * r + 0.587 * g + 0.114 * b) / 255;
}

function paint(value, colors) {
  if (typeof value === "string") return colors[value] ?? value.replace(/(?<=color:)\$\w+/g, (name) => colors[name]);
  if (Array.isArray(value)) return value.map((v) => paint(v, colors));
  if (value && typeof value === "object" && !ArrayBuffer.isView(value)) {
    for (const key in value) value[key] = paint(value[key], colors);
  }
  return value;
}

// An image as the bytes of an uncompressed BMP file, which Plotly shows as they are: a canvas would have to be read back.
class Bitmap {
  constructor(width, height) {
    this.stride = (3 * width + 3) & ~3;
    this.height = height;
    this.bytes = new Uint8Array(54 + this.stride * height);
    const head = new DataView(this.bytes.buffer);
    head.setUint16(0, 0x424d);
    head.setUint32(2, this.bytes.length, true);
    head.setUint32(10, 54, true);
    head.setUint32(14, 40, true);
    head.setInt32(18, width, true);
    head.setInt32(22, height, true);
    head.setUint16(26, 1, true);
    head.setUint16(28, 24, true);
    head.setUint32(34, this.stride * height, true);
  }

  // Where the three bytes of a pixel begin, blue first; y counts from the top.
  at(x, y) {
    return 54 + (this.height - 1 - y) * this.stride + 3 * x;
  }

  set(x, y, [red, green, blue]) {
    const to = this.at(x, y);
    this.bytes[to] = blue;
    this.bytes[to + 1] = green;
    this.bytes[to + 2] = red;
  }

  uri() {
    const parts = [];
    for (let i = 0; i < this.bytes.length; i += 8192)
      parts.push(String.fromCharCode.apply(null, this.bytes.subarray(i, i + 8192)));
    return `data:image/bmp;base64,${btoa(parts.join(""))}`;
  }
}

// From low over middle to high as p goes from 0 to 1.
function mixed(p, [low, middle, high]) {
  const [from, to, share] = p < 0.5 ? [low, middle, 2 * p] : [middle, high, 2 * p - 1];
  return from.map((value, c) => value + share * (to[c] - value));
}

// A trace's `tiles` become one texture: each image with a border, so that a frame can be painted around it.
const BORDER = 1;

function lay(trace, colors) {
  const { pixels, shape, columns, frames } = trace.tiles;
  const [n, height, width, channels] = shape;
  const [w, h] = [width + 2 * BORDER, height + 2 * BORDER];
  const rows = Math.ceil(n / columns);
  const texture = new Bitmap(columns * w, rows * h);
  const { bytes } = texture;
  const ground = rgb(colors.$bg);
  const scale = frames && ["$fake", "$bg", "$real"].map((name) => rgb(colors[name]));
  const [green, blue] = channels > 1 ? [1, 2] : [0, 0];
  for (let i = 0; i < columns * rows; i++) {
    const [left, top] = [(i % columns) * w, Math.floor(i / columns) * h];
    const edge = scale && i < n ? mixed(frames[i], scale) : ground;
    for (let y = 0; y < h; y++)
      for (let x = 0; x < w; x++) {
        const inside = i < n && x >= BORDER && x < w - BORDER && y >= BORDER && y < h - BORDER;
        if (inside) x = w - BORDER - 1; // those come below
        else texture.set(left + x, top + y, edge);
      }
    if (i >= n) continue;
    let from = i * height * width * channels;
    for (let y = 0; y < height; y++) {
      let to = texture.at(left + BORDER, top + BORDER + y);
      for (let x = 0; x < width; x++, to += 3, from += channels) {
        bytes[to] = pixels[from + blue];
        bytes[to + 1] = pixels[from + green];
        bytes[to + 2] = pixels[from];
      }
    }
  }
  trace.source = texture.uri();
  Object.assign(trace, { dx: 1 / w, dy: 1 / h, x0: -0.5 + 0.5 / w, y0: -0.5 + 0.5 / h });
  delete trace.tiles;
}

// A trace `heat`, p(real) over a square of the plane, becomes an image, a colour bar and points that only hover shows.
// (Plotly's own heat map reads a canvas back.)
const HEAT = ["$fakeTint", "$mid", "$realTint"];

function warm(trace, colors, layout) {
  const { name, center, reach, z } = trace;
  const side = z.length;
  const step = (2 * reach) / (side - 1);
  const [x0, y0] = [center[0] - reach, center[1] - reach];
  const scale = HEAT.map((color) => rgb(colors[color]));
  const ground = new Bitmap(side, side);
  const points = { x: new Float32Array(side * side), y: new Float32Array(side * side), p: new Float32Array(side * side) };
  for (let row = 0, i = 0; row < side; row++)
    for (let column = 0; column < side; column++, i++) {
      points.p[i] = z[row][column];
      points.x[i] = x0 + column * step;
      points.y[i] = y0 + row * step;
      ground.set(column, side - 1 - row, mixed(Math.min(1, Math.max(0, points.p[i])), scale));
    }
  const image = { xref: "x", yref: "y", x: x0 - step / 2, y: y0 - step / 2, xanchor: "left", yanchor: "bottom" };
  const size = { sizex: side * step, sizey: side * step, sizing: "stretch", layer: "below" };
  layout.images = [{ ...image, ...size, source: ground.uri() }];
  const none = { type: "scatter", showlegend: false, name };
  const hover = { ...none, mode: "none", x: points.x, y: points.y, customdata: points.p, hovertemplate: trace.hovertemplate };
  const colorscale = HEAT.map((color, i) => [i / 2, colors[color]]);
  const marker = { color: [0], cmin: 0, cmax: 1, colorscale, showscale: true, colorbar: trace.colorbar };
  return [hover, ...(layout.showlegend ? [{ ...none, mode: "markers", x: [null], y: [null], hoverinfo: "skip", marker }] : [])];
}

// A trace `dots` is drawn on one plain canvas over the plot: WebGL is not everywhere, a browser has but few of its
// contexts, and Plotly takes three for a plot. Plotly itself knows the points for hover, and a symbol for the legend.
function dotted(trace) {
  const { name, marker } = trace;
  const about = { type: "scatter", name, legendgroup: name };
  const points = { ...about, mode: "none", showlegend: false, x: trace.x, y: trace.y, hovertemplate: trace.hovertemplate, dots: marker };
  return [points, { ...about, mode: "markers", x: [null], y: [null], marker, hoverinfo: "skip" }];
}

function sprite({ color, size }, ratio) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.ceil(size * ratio) + 2;
  const context = canvas.getContext("2d");
  context.fillStyle = color;
  context.arc(canvas.width / 2, canvas.width / 2, (size * ratio) / 2, 0, 2 * Math.PI);
  context.fill();
  return canvas;
}

// Nothing leaves for a server elsewhere: newer versions of Plotly offer to upload the figure.
const CONFIG = {
  responsive: false,
  displaylogo: false,
  scrollZoom: false,
  showSendToCloud: false,
  modeBarButtonsToRemove: ["select2d", "lasso2d", "toImage"],
};

// The plot as a file, with the points that a canvas shows on the page.
function download(node, ground) {
  const data = node.data.map((trace) => (trace.dots ? { ...trace, mode: "markers", marker: trace.dots } : trace));
  const layout = { ...node.layout, paper_bgcolor: ground };
  const { width, height } = layout;
  window.Plotly.downloadImage({ data, layout }, { format: "png", filename: "ganscope", width, height, scale: 2 });
}

// Plots that share a `link` share their zoom: the newest ranges by the link's name.
const links = new Map();
const linked = new Map();

function zoomed(plot, name, event) {
  const range = (axis) =>
    `${axis}.range[0]` in event ? [event[`${axis}.range[0]`], event[`${axis}.range[1]`]] : event[`${axis}.range`];
  const [x, y] = [range("xaxis"), range("yaxis")];
  const reset = event["xaxis.autorange"] || event["yaxis.autorange"];
  if (!x && !y && !reset) return;
  const before = links.get(name) ?? { version: 0 };
  const kept = reset ? {} : { x: before.x, y: before.y };
  links.set(name, { ...kept, ...(x && { x }), ...(y && { y }), version: before.version + 1 });
  for (const other of linked.get(name) ?? []) if (other !== plot) other.again();
}

export class LivePlot {
  constructor(parent) {
    this.parent = parent;
    this.node = document.createElement("div");
    this.node.className = "ganscope-plot";
    this.node.setAttribute("role", "img");
    parent.append(this.node);
    // A finger on a plot scrolls the page, so Plotly hears of no touch; a tap still comes as a mouse's click.
    for (const name of ["touchstart", "touchmove", "touchend"])
      this.node.addEventListener(name, (event) => event.stopPropagation(), { capture: true, passive: true });
    this.frames = 0;
    this.newest = null;
    this.drawing = false;
    this.wake = () => this.draw();
    document.addEventListener("visibilitychange", this.wake);
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.node);
    this.window = () => this.resize();
    window.addEventListener("resize", this.window);
    this.themes = new MutationObserver(() => this.retheme());
    this.themes.observe(document.head, { childList: true });
    this.themes.observe(document.documentElement, { attributes: true, subtree: false });
  }

  show(bytes, version) {
    this.version = version;
    this.newest = bytes;
    this.draw();
  }

  // Whether a frame waits for the one before it to be drawn.
  get behind() {
    return this.newest !== null && !this.rests && !this.gone && !document.hidden;
  }

  // One frame at a time: those that arrive while one is drawn, or while nobody looks, are passed over.
  async draw() {
    if (this.drawing || !this.newest || document.hidden) return;
    this.drawing = true;
    try {
      const Plotly = await loadPlotly(this.version);
      while (this.newest && !this.gone) {
        const started = performance.now();
        const bytes = this.newest;
        this.newest = null;
        const figure = unpack(bytes);
        if (older(figure.place, this.place)) continue;
        this.last = bytes;
        this.place = figure.place;
        const colors = palette(this.parent);
        this.theme = colors.$bg + colors.$text;
        if (this.hidden) figure.data = figure.data.filter((trace) => !this.hidden.has(trace.name));
        paint(figure, colors);
        figure.data = figure.data.flatMap((trace) => {
          if (trace.tiles) lay(trace, colors);
          if (trace.type === "heat") return warm(trace, colors, figure.layout);
          return trace.type === "dots" ? dotted(trace) : trace;
        });
        const width = this.node.clientWidth || 300;
        figure.layout.width = width;
        // The page's style says how high a plot may be; one of fixed aspect wants no more than its width is good for.
        this.room = this.allowed();
        const { margin } = figure.layout;
        const needed = (width - margin.l - margin.r) / figure.aspect + margin.t + margin.b;
        const height = this.room || figure.layout.height;
        figure.layout.height = Math.ceil(figure.aspect ? Math.min(height, needed) : height);
        this.node.style.height = `${figure.layout.height}px`;
        this.node.setAttribute("aria-label", figure.label ?? "plot");
        if (figure.link) this.join(figure);
        this.config ??= {
          ...CONFIG,
          modeBarButtonsToAdd: [
            { name: "Download plot as PNG", icon: Plotly.Icons.camera, click: (node) => download(node, palette(this.parent).$bg) },
          ],
        };
        await Plotly.react(this.node, figure.data, figure.layout, this.config);
        if (!this.dotting) {
          this.dotting = true;
          for (const name of ["plotly_relayouting", "plotly_afterplot"]) this.node.on(name, () => this.dot());
          this.dot();
        }
        if (figure.link && !this.follows) {
          this.follows = true;
          this.node.on("plotly_relayout", (event) => zoomed(this, this.link, event));
        }
        if (figure.clicks && !this.listens) {
          this.listens = true;
          this.node.on("plotly_click", (event) => this.clicked?.(event.points[0].pointNumber));
        }
        this.frames += 1;
        this.node.dataset.frames = this.frames;
        this.node.dataset.step = figure.step ?? "";
        this.node.dataset.ms = (performance.now() - started).toFixed(1);
        await new Promise((resolve) => requestAnimationFrame(resolve));
        this.rests = true;
        if (figure.every) await new Promise((resolve) => setTimeout(resolve, figure.every));
        this.rests = false;
      }
    } catch (error) {
      this.node.textContent = `The live plot cannot be drawn: ${error.message}. Reload the page.`;
    } finally {
      this.drawing = false;
    }
  }

  // The height in pixels that the page's style allows, 0 where it says nothing.
  allowed() {
    return Math.floor(parseFloat(getComputedStyle(this.node).maxHeight)) || 0;
  }

  // Draws the points of the plot's `dots` where its axes are now.
  dot() {
    const full = this.node._fullLayout;
    const traces = (this.node._fullData ?? []).filter((t) => t._input.dots && t.visible === true);
    if (!full || (!traces.length && !this.canvas)) return;
    this.canvas ??= Object.assign(document.createElement("canvas"), {
      style: "position: absolute; inset: 0; width: 100%; height: 100%; pointer-events: none",
    });
    if (!this.canvas.isConnected) this.node.querySelector(".gl-container").append(this.canvas);
    const ratio = window.devicePixelRatio || 1;
    const size = [Math.round(full.width * ratio), Math.round(full.height * ratio)];
    if (this.canvas.width !== size[0]) this.canvas.width = size[0];
    if (this.canvas.height !== size[1]) this.canvas.height = size[1];
    const context = this.canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, ...size);
    const { xaxis, yaxis } = full;
    context.save();
    context.beginPath();
    context.rect(...[xaxis._offset, yaxis._offset, xaxis._length, yaxis._length].map((length) => length * ratio));
    context.clip();
    const [left, right] = xaxis.range;
    const [bottom, top] = yaxis.range;
    const kx = (ratio * xaxis._length) / (right - left);
    const ky = (ratio * yaxis._length) / (top - bottom);
    for (const { _input } of traces) {
      const { x, y, dots } = _input;
      const stamp = sprite(dots, ratio);
      const x0 = ratio * xaxis._offset - left * kx - stamp.width / 2;
      const y0 = ratio * (yaxis._offset + yaxis._length) + bottom * ky - stamp.width / 2;
      context.globalAlpha = dots.opacity;
      for (let i = 0; i < x.length; i++) context.drawImage(stamp, Math.round(x0 + kx * x[i]), Math.round(y0 - ky * y[i]));
    }
    context.restore();
  }

  join(figure) {
    this.link = figure.link;
    if (!linked.has(this.link)) linked.set(this.link, new Set());
    linked.get(this.link).add(this);
    const shared = links.get(this.link);
    if (!shared) return;
    const { layout } = figure;
    layout.uirevision = `${layout.uirevision} ${shared.version}`;
    if (shared.x) layout.xaxis.range = shared.x;
    if (shared.y) layout.yaxis.range = shared.y;
  }

  again() {
    if (!this.last || this.gone) return;
    this.newest ??= this.last;
    this.draw();
  }

  resize() {
    const width = this.node.clientWidth;
    if (!width || !this.node.layout) return;
    if (Math.abs(width - this.node.layout.width) > 1 || this.allowed() !== this.room) this.again();
  }

  retheme() {
    clearTimeout(this.later);
    this.later = setTimeout(() => {
      if (this.gone || !this.theme) return;
      const colors = palette(this.parent);
      if (colors.$bg + colors.$text !== this.theme) this.again();
    }, 150);
  }

  remove() {
    this.gone = true;
    linked.get(this.link)?.delete(this);
    this.sizes.disconnect();
    this.themes.disconnect();
    document.removeEventListener("visibilitychange", this.wake);
    window.removeEventListener("resize", this.window);
    if (window.Plotly) window.Plotly.purge(this.node);
    this.node.remove();
  }
}

// Frames of one feed come by two ways, the script's drawing and the feed itself; the later one is not always newer.
function older(place, than) {
  return Boolean(place && than && place[0] === than[0] && place[1] < than[1]);
}

const plots = new WeakMap();

export function plot(component) {
  const parent = component.parentElement;
  if (!plots.has(parent)) plots.set(parent, new LivePlot(parent));
  const live = plots.get(parent);
  live.clicked = (place) => component.setStateValue("clicked", place);
  if (component.data) live.show(component.data, component.version);
}

// Streamlit also cleans up after a call that a newer frame overtook, while the component itself lives on.
const alive = (component) => component.parentElement.isConnected;

export function removePlot(component) {
  if (alive(component)) return;
  plots.get(component.parentElement)?.remove();
  plots.delete(component.parentElement);
}

// Words that the feed keeps fresh.
const texts = new WeakMap();

function write(parent, html, place) {
  const before = texts.get(parent);
  if (older(place, before?.place)) return;
  texts.set(parent, { place, html });
  if (before?.html !== html) parent.querySelector(":scope > .ganscope-text").innerHTML = html;
}

export function text(component) {
  const { parentElement, data } = component;
  if (!parentElement.querySelector(":scope > .ganscope-text")) {
    texts.delete(parentElement);
    parentElement.append(Object.assign(document.createElement("div"), { className: "ganscope-text" }));
  }
  write(parentElement, data.html, data.place);
}

const SLEEP = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// The way frames come by: asks for them, as often as it may. It slows down where it is refused (a tunnel that meters,
// a busy server), recovers step by step, and says what is wrong while the picture cannot be fresh.
const SLOWEST_MS = 10_000;
const WELL_MS = 300; // between two requests: then no more is said of it
const RECOVERY = 0.9; // of the time between two requests, with each that is answered after too many were asked
const QUIET_FAILURES = 2; // that are not said yet

class Line {
  // least: milliseconds between two requests. limit: those that an answer may take. say: shows a sentence, or "".
  constructor(least, limit, say) {
    Object.assign(this, { least, limit, say, gap: least, failures: 0 });
  }

  // {status: 200 and bytes, 204, 404 and text}; null where there was no answer of GANscope's, once it is time to ask again.
  async ask(path, signal) {
    // By hand: older iPads know neither AbortSignal.timeout nor AbortSignal.any.
    const control = new AbortController();
    const stop = () => control.abort();
    const late = setTimeout(stop, this.limit);
    signal?.addEventListener("abort", stop);
    let answer, bytes;
    try {
      answer = await fetch(new URL(path, BASE), { cache: "no-store", signal: control.signal });
      bytes = new Uint8Array(await answer.arrayBuffer());
    } catch (error) {
      if (signal?.aborted) throw error;
      return this.refused("Connection lost, trying again …", 1000, control.signal.aborted); // silence has lasted long
    } finally {
      clearTimeout(late);
      signal?.removeEventListener("abort", stop);
    }
    const { status } = answer;
    const type = answer.headers.get("content-type") ?? "";
    if (status === 204 || (status === 200 && type.startsWith("application/octet-stream"))) {
      this.failures = 0;
      this.gap = this.metered ? Math.max(this.least, this.gap * RECOVERY) : this.least;
      this.say(this.gap < WELL_MS ? "" : this.slow);
      return { status, bytes };
    }
    const own = answer.headers.get("cross-origin-resource-policy") === "same-origin"; // not a proxy's
    if (status === 404 && own) return { status, text: new TextDecoder().decode(bytes) };
    if (status === 429 || status >= 500) {
      this.gap = Math.min(SLOWEST_MS, Math.max(2 * this.gap, 500));
      const wanted = Math.min(SLOWEST_MS, 1000 * (Number(answer.headers.get("retry-after")) || 0));
      this.metered = status === 429;
      const why = this.metered ? "the network allows fewer requests" : "the server is busy";
      this.slow = `Slower updates: ${why} (status ${status}).`;
      return this.refused(this.slow, Math.max(this.gap, wanted), this.metered);
    }
    const what = status === 200 ? "a web page instead of data" : `status ${status}`;
    const help = "Reload the page; the server's proxy must pass on the addresses below /ganscope/.";
    return this.refused(`No live updates: the server answers with ${what}. ${help}`, 2000);
  }

  async refused(sentence, ms, once = false) {
    this.failures += 1;
    if (once || this.failures > QUIET_FAILURES) this.say(sentence);
    await SLEEP(ms);
    return null;
  }
}

// What the page says of its connection, at one place, covering nothing that can be clicked.
let bar = null;

function announce(sentence) {
  if (!bar && !sentence) return;
  if (!bar?.isConnected) {
    bar = Object.assign(document.createElement("div"), { className: "ganscope-line" });
    bar.setAttribute("role", "status");
    (document.querySelector(".stApp") ?? document.body).append(bar); // whose theme it has
  }
  if (bar.textContent !== sentence) bar.textContent = sentence;
}

// Whether the page's own connection, on which its buttons act, is there.
function connected() {
  const state = document.querySelector(".stApp")?.dataset.testConnectionState;
  return !state || state === "CONNECTED" || state.startsWith("STATIC");
}

// The feed: while anything moves the browser asks for frames itself, ten a second or as many as it can draw.
const FEED_MS = 100;
const FEED_ANSWER_MS = 8_000;
const STILL_MS = 200;
const LOST_MS = 1000; // without a connection, until it is said
const LOST = "Connection lost, trying again … Until then the plot stands still and buttons do nothing.";

class Feed {
  constructor() {
    this.line = new Line(FEED_MS, FEED_ANSWER_MS, (sentence) => (this.trouble = sentence) !== null && this.say());
    this.trouble = "";
    const app = document.querySelector(".stApp");
    this.watchdog = new MutationObserver(() => this.checked());
    if (app) this.watchdog.observe(app, { attributes: true, attributeFilter: ["data-test-connection-state"] });
  }

  checked() {
    clearTimeout(this.lost);
    this.cut = false;
    if (connected()) this.say();
    else this.lost = setTimeout(() => ((this.cut = true), this.say()), LOST_MS);
  }

  say() {
    if (!this.gone) announce(this.cut ? LOST : this.moving ? this.trouble : "");
  }

  remove() {
    this.gone = true;
    clearTimeout(this.lost);
    this.watchdog.disconnect();
    announce("");
  }

  show(component) {
    Object.assign(this, component.data);
    this.version = component.version;
    this.drawings = (this.drawings ?? 0) + 1; // by the script
    this.still = () => component.setTriggerValue("still", true);
    if (this.moving && !this.working) this.work();
  }

  async work() {
    this.working = true;
    let next = this.fetch();
    while (this.moving && !this.gone) {
      const started = performance.now();
      const frame = await next;
      while (!this.gone && this.behind()) await SLEEP(5);
      next = this.fetch(); // while this one is drawn
      if (frame) this.draw(frame);
      await SLEEP(Math.max(0, this.line.gap - (performance.now() - started)));
    }
    this.working = false;
    this.say();
  }

  // The newest frame; nothing where there is no newer one, or nobody looks, or the buttons are dead: then the picture
  // must not go on either.
  async fetch() {
    if (document.hidden || !connected()) return SLEEP(FEED_MS);
    const { token } = this;
    const answer = await this.line.ask(`ganscope/live/${token}`);
    if (answer?.status === 404) return SLEEP(1000); // the page has another feed, or will have one soon
    if (answer?.status === 200) return { token, ...unpack(answer.bytes) };
  }

  found(key, kind) {
    return document.querySelector(`.st-key-${CSS.escape(key)} .${kind}`)?.parentElement;
  }

  draw(frame) {
    if (this.gone || !connected() || frame.token !== this.token || older(frame.place, this.place)) return;
    this.shown = [];
    for (const [key, html] of Object.entries(frame.texts)) {
      const parent = this.found(key, "ganscope-text");
      if (parent && texts.has(parent)) write(parent, html, frame.place);
    }
    for (const [key, bytes] of Object.entries(frame.plots)) {
      const live = plots.get(this.found(key, "ganscope-plot"));
      if (!live) continue;
      live.show(bytes, this.version);
      this.shown.push(live);
    }
    const { key, data } = frame.scrubber;
    scrubbers.get(this.found(key, "ganscope-scrubber"))?.show(data);
    if (frame.moving || !this.moving) return;
    this.moving = false;
    const { drawings } = this;
    // A click that stopped the run brings the script's drawing anyway.
    setTimeout(() => !this.gone && drawings === this.drawings && this.still(), STILL_MS);
  }

  behind() {
    return this.shown?.some((live) => live.behind);
  }
}

const feeds = new WeakMap();

export function feed(component) {
  const { parentElement } = component;
  if (!feeds.has(parentElement)) feeds.set(parentElement, new Feed());
  feeds.get(parentElement).show(component);
}

export function removeFeed(component) {
  if (alive(component)) return;
  feeds.get(component.parentElement)?.remove();
  feeds.delete(component.parentElement);
}

// The tab's own key: it survives a refresh, dies with the tab, and is in no link.
const STORE = "ganscope-tab";

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(18));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

// A browser's storage, null where it is denied: in a frame of another site, in some private windows.
function storage(name) {
  try {
    const found = window[name];
    found.setItem(`${STORE}-probe`, "");
    found.removeItem(`${STORE}-probe`);
    return found;
  } catch {
    return null;
  }
}

// Without storage the tab's history entry keeps the key: it survives a refresh as well.
function remembered() {
  return storage("sessionStorage")?.getItem(STORE) ?? history.state?.[STORE] ?? tabKey;
}

function remember(key) {
  tabKey = key;
  const found = storage("sessionStorage");
  if (found) found.setItem(STORE, key);
  else if (history.state?.[STORE] !== key) history.replaceState({ ...history.state, [STORE]: key }, "");
}

let tabKey = null;

export function tab(component) {
  const { renew, attempt } = component.data;
  let key = remembered();
  if (!key || (renew && renew === key)) key = newKey();
  remember(key);
  // The browser's own key outlives the tab: who comes back may continue what was autosaved. Without storage there is
  // none, and the tab's key, said twice, stands for it.
  const local = storage("localStorage");
  if (local && !local.getItem(STORE)) local.setItem(STORE, newKey());
  const said = `${key}:${local?.getItem(STORE) ?? key}:${attempt}:${BASE.href}`;
  if (component.parentElement.dataset.said === said) return;
  component.parentElement.dataset.said = said;
  setTimeout(() => component.setStateValue("key", said), attempt ? 400 : 0);
}

// A provider's sign-in ends on the first page, whatever link somebody came by: the tab keeps that link meanwhile.
const WAY = "ganscope-way";
const WAY_MS = 600_000;

export function signInWay(component) {
  try {
    if (component.data.where === "there") {
      if (!component.parentElement.dataset.kept) setTimeout(() => component.setStateValue("kept", true), 0);
      component.parentElement.dataset.kept = "yes"; // or cannot be: nobody has to wait any longer
      sessionStorage.setItem(WAY, JSON.stringify({ href: location.href, at: Date.now() }));
      return;
    }
    const { href, at } = JSON.parse(sessionStorage.getItem(WAY) ?? "{}");
    sessionStorage.removeItem(WAY);
    const wanted = href?.startsWith(BASE.href) && href !== location.href && Date.now() - at < WAY_MS;
    if (wanted && location.pathname === BASE.pathname) location.replace(href);
  } catch {
    // Without storage the sign-in ends on the first page.
  }
}

// A file for the user: saved once, however often it is drawn; the server is told, and sends it no more.
const delivered = new Set();

export function deliver(component) {
  if (!component.data) return;
  const { name, mime, number, content } = unpack(component.data);
  setTimeout(() => component.setTriggerValue("received", number));
  if (delivered.has(number)) return;
  delivered.add(number);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: mime }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// What there is to say: each notice can be closed, and goes by itself once there was time to read it.
const READING_MS = 70; // a letter
const SHORTEST_MS = 8000;
const ends = new Map(); // number of a notice -> when it goes, for it may be drawn on several pages

export function notices(component) {
  const { parentElement, data } = component;
  let box = parentElement.querySelector(":scope > .ganscope-notices");
  if (!box) {
    box = Object.assign(document.createElement("div"), { className: "ganscope-notices" });
    box.setAttribute("role", "status");
    parentElement.append(box);
  }
  for (const { number, text } of data.items) {
    if (!ends.has(number)) ends.set(number, performance.now() + Math.max(SHORTEST_MS, READING_MS * text.length));
    const left = () => ends.get(number) - performance.now();
    if (left() <= 0 || box.querySelector(`[data-number="${CSS.escape(number)}"]`)) continue;
    const note = document.createElement("div");
    note.dataset.number = number;
    const close = Object.assign(document.createElement("button"), { textContent: "✕", title: "Close" });
    close.setAttribute("aria-label", "Close");
    close.addEventListener("click", () => (ends.set(number, 0), note.remove()));
    note.append(Object.assign(document.createElement("span"), { textContent: text }), close);
    box.append(note);
    const go = () => (note.matches(":hover, :focus-within") ? setTimeout(go, 1000) : note.remove());
    setTimeout(go, left());
  }
}

// Keys of a page with a run: one listener for all of them. Streamlit's own shortcuts are deaf while any input has the
// focus, so after a turned slider too; these are only where something is written.
const BUTTONS = { p: "play", s: "step", 0: "reset", n: "new_seed" }; // key -> the button's key in the script
const ARROWS = { ArrowLeft: -1, ArrowRight: 1 };
const SWITCHES = ["range", "checkbox", "radio", "button", "submit", "reset", "file", "color"];
const WRITING = `textarea, select, [contenteditable], input${SWITCHES.map((type) => `:not([type=${type}])`).join("")}`;
// Who has the focus here has a use of its own for the arrows.
const ARROWED = `${WRITING}, input:not([type=checkbox]), [role=slider], [role=radio], [role=radiogroup], [role=listbox],
  [role=menu], .js-plotly-plot`;
const timelines = new Set(); // what looks back, on the page that is open

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const target = event.composedPath()[0];
  const within = (selector) => Boolean(target.closest?.(selector));
  const by = ARROWS[event.key];
  if (by) {
    const open = [...timelines].filter((one) => one.node.isConnected);
    const line = open.find((one) => one.range === target) ?? (within(ARROWED) ? null : open.at(-1));
    if (!line?.steps.length) return;
    event.preventDefault();
    line.move(by);
  } else if (!event.repeat && !within(WRITING)) {
    const button = document.querySelector(`.st-key-${BUTTONS[event.key?.toLowerCase()]} button:not(:disabled)`);
    if (!button) return;
    event.preventDefault();
    button.click();
  }
}

window.ganscopeKeys?.abort(); // of an older version of this file in the same page
window.ganscopeKeys = new AbortController();
document.addEventListener("keydown", pressed, { signal: window.ganscopeKeys.signal });

// The scrubber: looks back through the recorded frames. Its place is an index into them, so that early training, of
// which there are many frames, takes much of its length.
const ANSWER_MS = 600; // after which a replay goes on without having been answered

class Scrubber {
  constructor(parent) {
    this.node = document.createElement("div");
    this.node.className = "ganscope-scrubber";
    this.node.innerHTML = `
      <button class="replay" title="Replay the recorded frames (and stop)">▶</button>
      <select class="speed" title="Speed of the replay" aria-label="speed of the replay">
        ${[2, 5, 10, 20].map((n) => `<option value="${n}"${n === 5 ? " selected" : ""}>${n} frames/s</option>`).join("")}
      </select>
      <div class="rail"><div class="marks"></div>
        <input type="range" min="0" step="1" aria-label="history: the step that is shown"
          title="Drag, or press the arrow keys, to look back. A branch can start at each tick"></div>
      <output></output>
      <button class="live" title="Back to the latest step">Latest</button>
      <button class="fork" title="Saves this run and starts a branch here, with new settings">
        Branch</button>`;
    parent.append(this.node);
    const find = (name) => this.node.querySelector(name);
    [this.replay, this.speed, this.range, this.marks, this.label, this.live, this.fork] = [
      ".replay", ".speed", "input", ".marks", "output", ".live", ".fork",
    ].map(find);
    this.at = null; // the step looked at, null for now
    this.steps = [];
    this.range.addEventListener("input", () => (this.stop(), this.go(Number(this.range.value))));
    this.range.addEventListener("pointerdown", () => (this.held = true));
    for (const name of ["pointerup", "pointercancel", "blur"])
      this.range.addEventListener(name, () => (this.held = false));
    this.live.addEventListener("click", () => (this.stop(), this.go(this.steps.length)));
    this.fork.addEventListener("click", () => {
      this.stop();
      this.forks = Date.now();
      this.say();
    });
    this.replay.addEventListener("click", () => (this.timer ? this.stop() : this.play()));
    this.speed.addEventListener("change", () => this.speed.blur()); // else it keeps the keys of the page
    timelines.add(this);
  }

  // By an arrow key.
  move(by) {
    if (this.steps.length < 2) return;
    this.stop();
    // Standing still, the last frame is the latest state's.
    const still = this.at === null && by < 0 && this.steps.at(-1) === this.step;
    this.go(this.place() + (still ? 2 * by : by));
  }

  show(data, send) {
    this.send = send ?? this.send;
    if (older(data.place, this.newest)) return;
    this.newest = data.place;
    this.steps = Array.from(data.recorded);
    this.points = Array.from(data.checkpoints);
    this.step = data.step;
    this.answered = data.shown;
    this.canFork = data.fork;
    if (data.of !== this.of) {
      // Another run, or the latest state was asked for; after a refresh, the step that was looked at before.
      this.at = data.at ?? null;
      this.of = data.of;
      this.stop();
    }
    if (this.at !== null && this.at > this.step) this.at = null;
    this.draw();
  }

  // Where the thumb stands: an index into the steps, their number for now.
  place() {
    if (this.at === null) return this.steps.length;
    let i = this.steps.findLastIndex((step) => step <= this.at);
    return Math.max(i, 0);
  }

  go(place) {
    const i = Math.max(0, Math.min(place, this.steps.length));
    const at = i >= this.steps.length ? null : this.steps[i];
    if (at === this.at) return;
    this.at = at;
    this.draw();
    // While one frame is on its way the newest wish waits.
    if (!this.waits) {
      this.say();
      this.waits = setTimeout(() => {
        this.waits = null;
        if (this.said !== this.at) this.say();
      }, 90);
    }
  }

  say() {
    this.said = this.at;
    this.send({ at: this.at, of: this.of, fork: this.forks ?? 0 });
  }

  play() {
    if (this.steps.length < 2) return;
    if (this.at === null || this.place() >= this.steps.length - 1) this.go(0);
    let asked = performance.now();
    const tick = () => {
      const now = performance.now();
      const late = this.answered !== this.at && now - asked < ANSWER_MS;
      if (!late && !document.hidden) {
        asked = now;
        if (this.place() >= this.steps.length - 1) return this.stop();
        this.go(this.place() + 1);
      }
      this.timer = setTimeout(tick, late ? 30 : 1000 / Number(this.speed.value));
    };
    this.timer = setTimeout(tick, 1000 / Number(this.speed.value));
    this.draw();
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = null;
    this.draw();
  }

  draw() {
    const n = this.steps.length;
    const set = (node, name, value) => node[name] === value || (node[name] = value);
    set(this.range, "disabled", n < 2);
    set(this.replay, "disabled", n < 2);
    set(this.replay, "textContent", this.timer ? "❚❚" : "▶");
    if (!this.held) {
      set(this.range, "max", String(n));
      set(this.range, "value", String(this.place()));
    }
    const text = (value) => value.toLocaleString("en-US");
    const shown = this.at ?? this.step;
    this.range.setAttribute("aria-valuetext", `${this.at === null ? "latest, " : ""}step ${text(shown ?? 0)}`);
    set(this.label, "textContent", this.at === null ? "latest" : `step ${text(this.at)} of ${text(this.step)}`);
    const from = this.points?.findLast((step) => step <= shown);
    set(this.fork, "disabled", from === undefined || !this.canFork || this.step === 0);
    set(this.fork, "textContent", from === undefined ? "Branch" : `Branch from ${text(from)}`);
    this.node.classList.toggle("past", this.at !== null);
    this.node.dataset.at = this.at ?? "";
    const marks = (this.points ?? []).map((step) => this.steps.findLastIndex((s) => s <= step)).filter((i) => i >= 0);
    const key = `${n} ${marks}`;
    if (key === this.drawnMarks) return;
    this.drawnMarks = key;
    this.marks.innerHTML = [...new Set(marks)].map((i) => `<i style="left:${(100 * i) / n}%"></i>`).join("");
  }

  remove() {
    this.stop();
    timelines.delete(this);
    this.node.remove();
  }
}

const scrubbers = new WeakMap();

export function scrub(component) {
  const parent = component.parentElement;
  if (!scrubbers.has(parent)) scrubbers.set(parent, new Scrubber(parent));
  if (component.data) {
    scrubbers.get(parent).show(unpack(component.data), (value) => component.setStateValue("wish", value));
  }
}

export function removeScrubber(component) {
  if (alive(component)) return;
  scrubbers.get(component.parentElement)?.remove();
  scrubbers.delete(component.parentElement);
}

// What somebody presents: frames come by plain requests, each answered once there is something new.
const OPTIONAL = new Set(["manifold", "gradients", "trails"]); // layers that are off until somebody wants them
const WATCH_MS = 50;
const WATCH_ANSWER_MS = 25_000; // an answer waits for a newer frame
const NEVER = 2 ** 29; // no frame has this number: the request only says that somebody is still here

class Watch {
  constructor(parent, { token, kind }, version) {
    [this.token, this.version, this.number, this.at, this.steps] = [token, version, 0, null, []];
    this.watcher = newKey();
    this.line = new Line(WATCH_MS, WATCH_ANSWER_MS, (sentence) => {
      this.trouble.textContent = sentence;
      this.trouble.hidden = !sentence;
    });
    this.node = document.createElement("div");
    this.node.className = `ganscope-watch ${kind === "images" ? "pictures" : "points"}`;
    this.node.innerHTML = `
      <div class="gone trouble" role="status" hidden></div>
      <div class="head"><b class="step">step …</b><span class="status">waiting for the first frame</span>
        <span class="layers"></span></div>
      <div class="samples"></div>${kind === "images" ? '<div class="real"></div>' : ""}
      <div class="side"><div class="losses"></div><div class="modes"></div><div class="classes"></div>
        <div class="scores"></div></div>
      <div class="bar ganscope-scrubber"><div class="rail"><input type="range" min="0" step="1" disabled
        aria-label="what was presented so far: the step that is shown" title="Drag to look back"></div>
        <output></output><button class="live" title="Back to the latest step">Latest</button></div>`;
    parent.append(this.node);
    const find = (name) => this.node.querySelector(name);
    [this.step, this.status, this.layers, this.scores, this.range, this.label, this.trouble] = [
      ".step", ".status", ".layers", ".scores", "input", "output", ".trouble",
    ].map(find);
    this.plots = new Map();
    this.hidden = new Set(OPTIONAL);
    this.range.addEventListener("input", () => this.go(Number(this.range.value)));
    find(".live").addEventListener("click", () => this.go(this.steps.length));
    timelines.add(this);
    this.work();
  }

  async work() {
    let shown; // the step of the past that is drawn
    while (!this.gone) {
      if (document.hidden) {
        await SLEEP(500);
        continue;
      }
      this.abort = new AbortController();
      const past = this.at !== null;
      const wish = !past ? `after=${this.number}` : shown === this.at ? `after=${NEVER}` : `at=${this.at}`;
      const asked = this.at;
      try {
        const path = `ganscope/frames/${this.token}?${wish}&watcher=${this.watcher}`;
        const answer = await this.line.ask(path, this.abort.signal);
        if (answer?.status === 404) return this.end(answer.text);
        if (answer?.status === 200) {
          this.show(unpack(answer.bytes));
          shown = asked;
        }
        await SLEEP(this.line.gap);
      } catch (error) {
        if (!this.abort.signal.aborted) throw error; // another step is wanted
      }
    }
  }

  show(frame) {
    const text = (value) => value.toLocaleString("en-US");
    if (this.at === null) {
      this.number = frame.number;
      this.steps = Array.from(frame.past);
      this.newest = frame.step;
    }
    this.step.textContent = `step ${text(frame.shown)}`;
    this.status.textContent = frame.rate ? `${frame.status} · ${text(frame.rate)} steps/s` : frame.status;
    this.scores.innerHTML = frame.scores; // made by the server, of numbers and its own words
    this.node.dataset.number = frame.number;
    this.node.dataset.step = frame.shown;
    for (const [name, bytes] of Object.entries(frame.panels)) {
      const place = this.node.querySelector(`.${name}`);
      if (!place) continue;
      if (!this.plots.has(name)) this.plots.set(name, new LivePlot(place));
      const plot = this.plots.get(name);
      if (name === "samples") {
        plot.hidden = this.hidden;
        this.offer(unpack(bytes).data.map((trace) => trace.name));
      }
      plot.show(bytes, this.version);
    }
    this.draw();
  }

  // A switch for each layer that the frames have.
  offer(names) {
    const found = [...new Set(names)].filter((name) => name);
    if (String(found) === this.offered || this.node.classList.contains("pictures")) return;
    this.offered = String(found);
    this.layers.replaceChildren(
      ...found.map((name) => {
        const label = document.createElement("label");
        const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: !this.hidden.has(name) });
        box.addEventListener("change", () => {
          this.hidden[box.checked ? "delete" : "add"](name);
          this.plots.get("samples").again();
        });
        label.append(box, ` ${name}  `);
        return label;
      }),
    );
  }

  // By an arrow key.
  move(by) {
    this.go(Math.max(0, Number(this.range.value) + by));
  }

  go(place) {
    const at = place >= this.steps.length ? null : this.steps[place];
    if (at === this.at) return;
    if (at === null) this.number = 0; // the newest frame again, at once
    this.at = at;
    this.draw();
    this.abort?.abort();
  }

  draw() {
    const n = this.steps.length;
    this.range.disabled = n < 1;
    this.range.max = String(n);
    const place = this.at === null ? n : Math.max(this.steps.findLastIndex((step) => step <= this.at), 0);
    if (this.range.value !== String(place)) this.range.value = String(place);
    const text = (value) => value.toLocaleString("en-US");
    const shown = this.at ?? this.newest ?? 0;
    this.range.setAttribute("aria-valuetext", `${this.at === null ? "latest, " : ""}step ${text(shown)}`);
    this.label.textContent = this.at === null ? "latest" : `step ${text(this.at)} of ${text(this.newest)}`;
    this.node.querySelector(".bar").classList.toggle("past", this.at !== null);
  }

  end(sentence) {
    this.gone = true;
    this.trouble.textContent = sentence;
    this.trouble.hidden = false;
  }

  remove() {
    this.gone = true;
    timelines.delete(this);
    this.abort?.abort();
    for (const plot of this.plots.values()) plot.remove();
    this.node.remove();
  }
}

const watches = new WeakMap();

export function watch(component) {
  const { parentElement, data, version } = component;
  const kept = watches.get(parentElement);
  if (kept?.token === data.token) return;
  kept?.remove();
  watches.set(parentElement, new Watch(parentElement, data, version));
}

export function removeWatch(component) {
  if (alive(component)) return;
  watches.get(component.parentElement)?.remove();
  watches.delete(component.parentElement);
}

// On a page of its own, without Streamlit (pages/ui/frames/watch_page.py).
export function watchAlone(parent, data, version) {
  const alone = new Watch(parent, data, version);
  const theme = window.matchMedia("(prefers-color-scheme: dark)");
  theme.addEventListener("change", () => alone.plots.forEach((plot) => plot.retheme()));
}
