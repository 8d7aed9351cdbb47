// Draws figures in place: the first frame makes a plot, every later one goes through Plotly.react into the same
// node, so zoom, hover and size stay. Frames come as bytes (pages/ui/liveplot packs them).

const ASSETS = new URL("./", import.meta.url);
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
    $realTint: dark ? "#17476b" : "#a8d3f0",
    $fakeTint: dark ? "#5e3610" : "#f8cfa5",
    $mid: dark ? "#1c1f26" : "#f7f7f7",
    $font: read("--st-font", "sans-serif"),
  };
}

function rgb(color) {
  const pixel = document.createElement("canvas").getContext("2d");
  pixel.fillStyle = color;
  pixel.fillRect(0, 0, 1, 1);
  return [...pixel.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

function luminance(color) {
  const [r, g, b] = rgb(color);
  return (0.299 * r + 0.587 * g + 0.114 * b) / 255;
}

function paint(value, colors) {
  if (typeof value === "string") return value.startsWith("$") ? (colors[value] ?? value) : value;
  if (Array.isArray(value)) return value.map((v) => paint(v, colors));
  if (value && typeof value === "object" && !ArrayBuffer.isView(value)) {
    for (const key in value) value[key] = paint(value[key], colors);
  }
  return value;
}

// A trace's `tiles` become one texture: each picture with a border, so that a frame can be painted around it.
const BORDER = 1;
const canvas = document.createElement("canvas");

function lay(trace, colors) {
  const { pixels, shape, columns, frames } = trace.tiles;
  const [n, height, width, channels] = shape;
  const [w, h] = [width + 2 * BORDER, height + 2 * BORDER];
  canvas.width = columns * w;
  canvas.height = Math.ceil(n / columns) * h;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const texture = context.createImageData(canvas.width, canvas.height);
  const scale = frames && ["$fake", "$bg", "$real"].map((name) => rgb(colors[name]));
  for (let i = 0; i < n; i++) {
    const [left, top] = [(i % columns) * w, Math.floor(i / columns) * h];
    if (scale) {
      const p = 2 * frames[i];
      const [low, high] = p < 1 ? scale : scale.slice(1);
      const edge = low.map((value, c) => value + (p < 1 ? p : p - 1) * (high[c] - value));
      for (let y = 0; y < h; y++)
        for (let x = 0; x < w; x++) {
          if (x >= BORDER && x < w - BORDER && y >= BORDER && y < h - BORDER) continue;
          texture.data.set([...edge, 255], 4 * ((top + y) * canvas.width + left + x));
        }
    }
    let from = i * height * width * channels;
    for (let y = 0; y < height; y++) {
      let to = 4 * ((top + BORDER + y) * canvas.width + left + BORDER);
      for (let x = 0; x < width; x++, to += 4, from += channels) {
        texture.data[to] = pixels[from];
        texture.data[to + 1] = pixels[from + (channels > 1 ? 1 : 0)];
        texture.data[to + 2] = pixels[from + (channels > 1 ? 2 : 0)];
        texture.data[to + 3] = 255;
      }
    }
  }
  context.putImageData(texture, 0, 0);
  trace.source = canvas.toDataURL("image/png");
  Object.assign(trace, { dx: 1 / w, dy: 1 / h, x0: -0.5 + 0.5 / w, y0: -0.5 + 0.5 / h });
  delete trace.tiles;
}

// Nothing leaves for a server elsewhere: newer versions of Plotly offer to upload the figure.
const CONFIG = {
  responsive: false,
  displaylogo: false,
  scrollZoom: false,
  showSendToCloud: false,
  modeBarButtonsToRemove: ["select2d", "lasso2d"],
};

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

class LivePlot {
  constructor(parent) {
    this.parent = parent;
    this.node = document.createElement("div");
    this.node.className = "ganscope-plot";
    parent.append(this.node);
    this.frames = 0;
    this.newest = null;
    this.drawing = false;
    this.wake = () => this.draw();
    document.addEventListener("visibilitychange", this.wake);
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.node);
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
        for (const trace of figure.data) if (trace.tiles) lay(trace, colors);
        const width = this.node.clientWidth || 300;
        figure.layout.width = width;
        // A plot of fixed aspect wants no more height than a phone gives it width.
        const { margin } = figure.layout;
        const needed = (width - margin.l - margin.r) / figure.aspect + margin.t + margin.b;
        if (figure.aspect) figure.layout.height = Math.ceil(Math.min(figure.layout.height, needed));
        this.node.style.height = `${figure.layout.height}px`;
        if (figure.link) this.join(figure);
        await Plotly.react(this.node, figure.data, figure.layout, CONFIG);
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
    if (width && this.node.layout && Math.abs(width - this.node.layout.width) > 1) this.again();
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

// The feed: while anything moves the browser asks for frames itself, ten a second or as many as it can draw.
const FEED_MS = 100;
const STILL_MS = 200;

class Feed {
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
      await SLEEP(Math.max(0, FEED_MS - (performance.now() - started)));
    }
    this.working = false;
  }

  // The newest frame; nothing where there is no newer one, or nobody looks.
  async fetch() {
    if (document.hidden) return SLEEP(FEED_MS);
    const { token } = this;
    try {
      const answer = await fetch(new URL(`ganscope/live/${token}`, document.baseURI), { cache: "no-store" });
      if (answer.status === 204) return;
      if (answer.status !== 200) throw new Error(`status ${answer.status}`);
      return { token, ...unpack(new Uint8Array(await answer.arrayBuffer())) };
    } catch {
      await SLEEP(1000); // the connection, or the server: the page itself says so
    }
  }

  found(key, kind) {
    return document.querySelector(`.st-key-${CSS.escape(key)} .${kind}`)?.parentElement;
  }

  draw(frame) {
    if (this.gone || frame.token !== this.token || older(frame.place, this.place)) return;
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
  const kept = feeds.get(component.parentElement);
  if (kept) kept.gone = true;
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
  const said = `${key}:${local?.getItem(STORE) ?? key}:${attempt}`;
  if (component.parentElement.dataset.said === said) return;
  component.parentElement.dataset.said = said;
  setTimeout(() => component.setStateValue("key", said), attempt ? 400 : 0);
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
const OPTIONAL = new Set(["manifold", "push", "trails"]); // layers that are off until somebody wants them
const SLEEP = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const NEVER = 2 ** 29; // no frame has this number: the request only says that somebody is still here

class Watch {
  constructor(parent, { token, kind }, version) {
    [this.token, this.version, this.number, this.at, this.steps] = [token, version, 0, null, []];
    this.watcher = newKey();
    this.node = document.createElement("div");
    this.node.className = `ganscope-watch ${kind === "images" ? "pictures" : "points"}`;
    this.node.innerHTML = `
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
    [this.step, this.status, this.layers, this.scores, this.range, this.label] = [
      ".step", ".status", ".layers", ".scores", "input", "output",
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
      const url = new URL(`ganscope/frames/${this.token}?${wish}&watcher=${this.watcher}`, document.baseURI);
      try {
        const answer = await fetch(url, { signal: this.abort.signal, cache: "no-store" });
        if (answer.status === 404) return this.end(await answer.text());
        if (answer.status === 200) {
          this.show(unpack(new Uint8Array(await answer.arrayBuffer())));
          shown = asked;
        } else if (answer.status !== 204) throw new Error(`status ${answer.status}`);
      } catch (error) {
        if (error.name === "AbortError") continue;
        this.status.textContent = "the connection is lost; trying again";
        await SLEEP(1000);
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
    this.label.textContent = this.at === null ? "latest" : `step ${text(this.at)} of ${text(this.newest)}`;
    this.node.querySelector(".bar").classList.toggle("past", this.at !== null);
  }

  end(sentence) {
    this.gone = true;
    const note = Object.assign(document.createElement("div"), { className: "gone", textContent: sentence });
    this.node.prepend(note);
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
