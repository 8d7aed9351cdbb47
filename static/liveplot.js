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

  // One frame at a time: those that arrive while one is drawn, or while nobody looks, are passed over.
  async draw() {
    if (this.drawing || !this.newest || document.hidden) return;
    this.drawing = true;
    try {
      const Plotly = await loadPlotly(this.version);
      while (this.newest && !this.gone) {
        const started = performance.now();
        this.last = this.newest;
        this.newest = null;
        const figure = unpack(this.last);
        const colors = palette(this.parent);
        this.theme = colors.$bg + colors.$text;
        paint(figure, colors);
        for (const trace of figure.data) if (trace.tiles) lay(trace, colors);
        const width = this.node.clientWidth || 300;
        figure.layout.width = width;
        // A plot of fixed aspect wants no more height than a phone gives it width.
        const { margin } = figure.layout;
        const needed = (width - margin.l - margin.r) / figure.aspect + margin.t + margin.b;
        if (figure.aspect) figure.layout.height = Math.ceil(Math.min(figure.layout.height, needed));
        this.node.style.height = `${figure.layout.height}px`;
        await Plotly.react(this.node, figure.data, figure.layout, CONFIG);
        if (figure.clicks && !this.listens) {
          this.listens = true;
          this.node.on("plotly_click", (event) => this.clicked?.(event.points[0].pointNumber));
        }
        this.frames += 1;
        this.node.dataset.frames = this.frames;
        this.node.dataset.step = figure.step ?? "";
        this.node.dataset.ms = (performance.now() - started).toFixed(1);
        await new Promise((resolve) => requestAnimationFrame(resolve));
        if (figure.every) await new Promise((resolve) => setTimeout(resolve, figure.every));
      }
    } catch (error) {
      this.node.textContent = `The live plot cannot be drawn: ${error.message}. Reload the page.`;
    } finally {
      this.drawing = false;
    }
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
    this.sizes.disconnect();
    this.themes.disconnect();
    document.removeEventListener("visibilitychange", this.wake);
    if (window.Plotly) window.Plotly.purge(this.node);
    this.node.remove();
  }
}

const plots = new WeakMap();

export function plot(component) {
  const parent = component.parentElement;
  if (!plots.has(parent)) plots.set(parent, new LivePlot(parent));
  const live = plots.get(parent);
  live.clicked = (place) => component.setStateValue("clicked", place);
  if (component.data) live.show(component.data, component.version);
}

export function removePlot(component) {
  plots.get(component.parentElement)?.remove();
  plots.delete(component.parentElement);
}

// The tab's own key: it survives a refresh, dies with the tab, and is in no link.
const STORE = "ganscope-tab";

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(18));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

export function tab(component) {
  const { renew, attempt } = component.data;
  let stored = sessionStorage.getItem(STORE);
  if (!stored || (renew && renew === stored)) {
    stored = newKey();
    sessionStorage.setItem(STORE, stored);
  }
  const said = `${stored}:${attempt}`;
  if (component.parentElement.dataset.said === said) return;
  component.parentElement.dataset.said = said;
  setTimeout(() => component.setStateValue("key", said), attempt ? 400 : 0);
}
