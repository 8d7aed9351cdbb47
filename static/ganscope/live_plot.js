// Draws figures in place: the first frame makes a plot, every later one goes through Plotly.react into the same
// node, so zoom, hover and size stay.

import { BASE } from "./addresses.js";
import { palette, paint } from "./colors.js";
import { remover } from "./components.js";
import { Dots, dotted } from "./dots.js";
import { older, unpack } from "./frames.js";
import { lay, warm } from "./pictures.js";

let plotly = null;

function loadPlotly(version) {
  plotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL(`app/static/plotly.min.js?v=${version}`, BASE).href;
    script.addEventListener("load", () => resolve(window.Plotly));
    script.addEventListener("error", () => {
      plotly = null;
      reject(new Error("plotly.min.js could not be loaded"));
    });
    document.head.append(script);
  });
  return plotly;
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

function zoomed(moved, name, event) {
  const range = (axis) =>
    `${axis}.range[0]` in event ? [event[`${axis}.range[0]`], event[`${axis}.range[1]`]] : event[`${axis}.range`];
  const [x, y] = [range("xaxis"), range("yaxis")];
  const reset = event["xaxis.autorange"] || event["yaxis.autorange"];
  if (!x && !y && !reset) return;
  const before = links.get(name) ?? { version: 0 };
  const kept = reset ? {} : { x: before.x, y: before.y };
  links.set(name, { ...kept, ...(x && { x }), ...(y && { y }), version: before.version + 1 });
  for (const other of linked.get(name) ?? []) if (other !== moved) other.again();
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
    this.frames = this.clicks = 0;
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
        if (!this.dots) {
          this.dots = new Dots(this.node);
          for (const name of ["plotly_relayouting", "plotly_afterplot"]) this.node.on(name, () => this.dots.draw());
          this.dots.draw();
        }
        if (figure.link && !this.follows) {
          this.follows = true;
          this.node.on("plotly_relayout", (event) => zoomed(this, this.link, event));
        }
        if (figure.clicks && !this.listens) {
          this.listens = true;
          this.node.on("plotly_click", ({ points: [{ pointNumber: n, data }] }) =>
            this.clicked?.([Array.isArray(n) ? n[0] * data.z[0].length + n[1] : n, ++this.clicks]),
          ); // a cell of a heat map by its place row by row; a number, so that the same place again is news
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

export const plots = new WeakMap();

export function plot(component) {
  const parent = component.parentElement;
  if (!plots.has(parent)) plots.set(parent, new LivePlot(parent));
  const live = plots.get(parent);
  live.clicked = (place) => component.setStateValue("clicked", place);
  if (component.data) live.show(component.data, component.version);
}

export const removePlot = remover(plots);
