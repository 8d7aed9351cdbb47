// The drawing Anatomy: the parts of a training step in boxes, each with a picture of what it holds now, and the lines
// between them. pages/ui/figures/anatomy_figure.py makes what it shows.

import { mixed, palette, rgb } from "./colors.js";
import { remover } from "./components.js";
import { older, unpack } from "./frames.js";
import { plots } from "./live_plot.js";

// In rows of three: from z to the logits, then back along each network's loss to its update.
const BOXES = [
  ["z", "z"],
  ["g", "Generator G"],
  ["fake", "Generated"],
  ["real", "Real"],
  ["d", "Discriminator D"],
  ["logits", "Logits"],
  ["d_update", "Update D"],
  ["d_gradient", "Gradient of D"],
  ["d_loss", "Loss of D"],
  ["g_update", "Update G"],
  ["g_gradient", "Gradient of G"],
  ["g_loss", "Loss of G"],
];
const BOTH = "dg"; // whose way a line is on
const LINES = [
  ["z>g", BOTH],
  ["g>fake", BOTH],
  ["fake>d", BOTH],
  ["real>d", "d"],
  ["d>logits", BOTH],
  ["logits>d_loss", "d"],
  ["d_loss>d_gradient", "d"],
  ["d_gradient>d_update", "d"],
  ["d_update>d", "d"],
  ["logits>g_loss", "g"],
  ["g_loss>g_gradient", "g"],
  ["g_gradient>g_update", "g"],
  ["g_update>g", "g"],
];
const HALVES = [
  ["", "Whole step"],
  ["d", "D learns"],
  ["g", "G learns"],
];
const UNFOLDING_MS = 2000;
let chosenHalf = ""; // stays while pages change

// Whether a box takes part in a network's half of a step.
function within(name, half, needsReal) {
  if (!half) return true;
  if (name === "real") return half === "d" || needsReal;
  return !name.includes("_") || name.startsWith(half);
}

const element = (tag, about = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), about);
  made.append(...children);
  return made;
};

export class Anatomy {
  constructor(parent) {
    this.parent = parent;
    this.node = element("div", { className: "ganscope-plot ganscope-anatomy" });
    this.node.setAttribute("role", "group");
    this.halves = element("div", { className: "halves" });
    for (const [half, label] of HALVES) {
      const button = element("button", { type: "button", textContent: label });
      button.addEventListener("click", () => ((chosenHalf = half), this.again()));
      button.dataset.half = half;
      this.halves.append(button);
    }
    this.machine = element("div", { className: "machine" });
    this.lines = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.lines.setAttribute("aria-hidden", "true");
    this.machine.append(this.lines);
    this.boxes = new Map(BOXES.map(([name, title]) => [name, this.box(name, title)]));
    this.words = element("div", { className: "words" });
    this.words.setAttribute("aria-live", "polite");
    this.node.append(this.machine, this.words);
    parent.append(this.node);
    this.paths = new Map();
    this.frames = 0;
    this.opened = ""; // the box that is explained
    this.unfolding = 1;
    this.sizes = new ResizeObserver(() => this.again());
    this.sizes.observe(this.machine);
    this.themes = new MutationObserver(() => this.retheme());
    this.themes.observe(document.head, { childList: true });
    this.themes.observe(document.documentElement, { attributes: true, subtree: false });
    this.wake = () => this.again();
    document.addEventListener("visibilitychange", this.wake);
  }

  box(name, title) {
    const canvas = element("canvas");
    const value = element("span", { className: "value" });
    const text = element("div", { className: "text" }, element("b", { textContent: title }), value);
    const inside = element("div", { className: "inside" }, text, canvas);
    const button = element("button", { type: "button", className: `box ${name}` }, inside);
    button.dataset.box = name;
    button.addEventListener("click", () => {
      this.opened = this.opened === name ? "" : name;
      this.say();
    });
    if (name === "g") {
      button.addEventListener("pointerenter", () => this.unfold());
      button.addEventListener("focus", () => this.unfold());
    }
    this.machine.append(button);
    return { name, title, button, canvas, value };
  }

  get behind() {
    return false; // it is drawn at once
  }

  show(bytes) {
    const figure = unpack(bytes);
    if (this.gone || older(figure.place, this.place)) return;
    if (figure.phase !== this.figure?.phase && figure.phase) this.opened = "";
    this.place = figure.place;
    this.figure = figure;
    this.draw();
  }

  again() {
    if (this.figure && !this.gone) this.draw();
  }

  retheme() {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.again(), 150);
  }

  remove() {
    this.gone = true;
    clearTimeout(this.later);
    this.sizes.disconnect();
    this.themes.disconnect();
    document.removeEventListener("visibilitychange", this.wake);
    this.node.remove();
  }

  // -- drawing ----------------------------------------------------------------------------------------------

  draw() {
    if (document.hidden) return;
    const { figure } = this;
    this.colors = palette(this.parent);
    this.half = figure.half || chosenHalf;
    for (const button of this.halves.children) {
      button.setAttribute("aria-pressed", String(button.dataset.half === this.half));
    }
    const lit = new Set(figure.lit);
    for (const { name, title, button, canvas, value } of this.boxes.values()) {
      button.classList.toggle("lit", lit.has(name));
      button.classList.toggle("dim", !within(name, this.half, figure.needs_real));
      const lines = figure.values[name] ?? [];
      if (value.textContent !== lines.join("\n")) value.textContent = lines.join("\n");
      button.setAttribute("aria-label", [title, ...lines].join(", "));
      this.paint(name, canvas);
    }
    this.connect(lit);
    this.say();
    this.node.setAttribute("aria-label", figure.label);
    this.frames += 1;
    this.node.dataset.frames = this.frames;
    this.node.dataset.step = figure.step;
    this.node.dataset.phase = figure.phase;
  }

  // The words below: what a box is, once it was clicked; else what happens in the phase.
  say() {
    const { figure, opened } = this;
    if (!figure) return;
    for (const { name, button } of this.boxes.values()) button.setAttribute("aria-expanded", String(name === opened));
    const about = figure.boxes[opened];
    const said = JSON.stringify([about, figure.caption, figure.formula]);
    if (said === this.said) return;
    this.said = said;
    if (!about) {
      const watched = this.parent.closest(".ganscope-watch");
      const who = watched ? "The presenter can" : "<b>Next</b> and <b>Slow motion</b>";
      const hint = `${who} go through a step phase by phase. Click a box to read what it is.`;
      this.words.innerHTML = `<p>${figure.caption || hint}</p><div class="formula">${figure.formula}</div>`; // the server's own
      if (!figure.caption) this.words.prepend(this.halves);
      return;
    }
    const text = element("p", {}, element("b", { textContent: `${this.boxes.get(opened).title}. ` }), `${about.text} `);
    if (about.link)
      text.append(element("a", { href: about.link, target: "_blank", rel: "noopener", textContent: about.source }));
    this.words.replaceChildren(text);
  }

  // The lines between the boxes, along the gaps: as paths from where the boxes stand.
  connect(lit) {
    const { machine, lines } = this;
    const [width, height] = [machine.clientWidth, machine.clientHeight];
    lines.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const at = (name) => {
      const { offsetLeft: x, offsetTop: y, offsetWidth: w, offsetHeight: h } = this.boxes.get(name).button;
      return { left: x, right: x + w, top: y, bottom: y + h, x: x + w / 2, y: y + h / 2 };
    };
    for (const [name, own] of LINES) {
      const whose = name === "real>d" && this.figure.needs_real ? BOTH : own;
      const [from, to] = name.split(">").map(at);
      const sides = whose === BOTH ? (this.half ? [this.half] : [...BOTH]) : [whose];
      sides.forEach((side, i) => {
        // Where both go, they go beside each other: blue above, orange below.
        const shift = sides.length > 1 ? 4 * i - 2 : 0;
        const path = this.path(`${name} ${side}`);
        path.setAttribute("d", route(name, from, to, shift, width));
        path.setAttribute("stroke", side === "d" ? this.colors.$real : this.colors.$fake);
        path.style.color = side === "d" ? this.colors.$real : this.colors.$fake;
        const shown = !this.half || whose === BOTH || whose === this.half;
        path.setAttribute("class", lit.has(name) ? "lit" : shown ? "" : "dim");
      });
      for (const side of BOTH) if (!sides.includes(side)) this.path(`${name} ${side}`).setAttribute("d", "");
    }
  }

  path(name) {
    if (!this.paths.has(name)) {
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      this.lines.append(path);
      this.paths.set(name, path);
    }
    return this.paths.get(name);
  }

  // GAN Lab's picture of what a generator does: a grid of z unfolds into the manifold.
  unfold() {
    if (this.unfolding < 1 || this.figure?.kind !== "points" || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const began = performance.now();
    const frame = () => {
      this.unfolding = Math.min(1, (performance.now() - began) / UNFOLDING_MS);
      if (this.gone || !this.figure) return;
      this.paint("g", this.boxes.get("g").canvas);
      if (this.unfolding < 1) requestAnimationFrame(frame);
    };
    this.unfolding = 0;
    frame();
  }

  // -- the picture in a box ---------------------------------------------------------------------------------

  paint(name, canvas) {
    const { figure, colors } = this;
    const ratio = window.devicePixelRatio || 1;
    const [w, h] = [canvas.clientWidth, canvas.clientHeight];
    if (!w || !h) return;
    if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
      canvas.width = Math.round(w * ratio);
      canvas.height = Math.round(h * ratio);
    }
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, w, h);
    if (!figure.z) return;
    const pen = { context, w, h, colors, figure, unfolded: this.unfolding };
    if (name === "z") cloud(pen, figure.z, [0, 0], [figure.z_reach, figure.z_reach], colors.$text);
    else if (name === "logits") histogram(pen, figure.logits);
    else if (name.endsWith("_loss")) gauge(pen, figure.gauges[name], name);
    else if (name === "d_gradient" || (name === "g_gradient" && !figure.gradient))
      layers(pen, figure.layers[name[0]], figure.gauges[name], name);
    else if (figure.kind === "images") pictures(pen, name);
    else points(pen, name);
  }
}

// From the box `from` to the box `to`, in the gaps between them.
function route(name, from, to, shift, width) {
  const down = from.top < to.top - 5;
  const gap = 7; // half of the space between two rows
  if (name === "fake>d") {
    const y = from.bottom + gap + shift;
    return `M${from.x + shift} ${from.bottom}V${y}H${to.x + shift}V${to.top}`;
  }
  if (name === "d_update>d") return `M${from.x} ${from.top}V${from.top - gap}H${to.x}V${to.bottom}`;
  if (name === "logits>g_loss") return `M${from.right} ${from.y}H${width - 3}V${to.y}H${to.right}`;
  if (name === "g_update>g") return `M${from.left} ${from.y}H3V${to.bottom + gap - 2}H${to.x - 8}V${to.bottom}`;
  if (Math.abs(from.y - to.y) < 5) {
    const y = from.y + shift;
    return from.left < to.left ? `M${from.right} ${y}H${to.left}` : `M${from.left} ${y}H${to.right}`;
  }
  return down ? `M${from.x} ${from.bottom}V${to.top}` : `M${from.x} ${from.top}V${to.bottom}`;
}

// Where a point of the plane is in a square that fits; reach: half of what it shows of each axis.
function square({ w, h }, [cx, cy], reach) {
  const [kx, ky] = reach.map((half) => Math.min(w, h) / (2 * half));
  return (x, y) => [w / 2 + (x - cx) * kx, h / 2 - (y - cy) * ky];
}

function cloud(pen, flat, center, reach, color, alpha = 0.75) {
  const { context } = pen;
  const to = square(pen, center, reach);
  const size = Math.max(2, Math.min(pen.w, pen.h) / 32);
  context.fillStyle = color;
  context.globalAlpha = alpha;
  for (let i = 0; i < flat.length; i += 2) {
    const [x, y] = to(flat[i], flat[i + 1]);
    context.fillRect(x - size / 2, y - size / 2, size, size);
  }
  context.globalAlpha = 1;
}

function points(pen, name) {
  const { figure, colors } = pen;
  const { center, reach } = figure;
  if (name === "real") cloud(pen, figure.real, center, reach, colors.$real);
  else if (name === "fake") cloud(pen, figure.fake, center, reach, colors.$fake);
  else if (name === "d") heat(pen);
  else if (name === "g") manifold(pen);
  else if (name === "g_gradient") {
    cloud(pen, figure.fake, center, reach, colors.$fake, 0.35);
    arrows(pen);
  }
}

function heat({ context, w, h, figure, colors }) {
  const side = figure.heat.length;
  const picture = new ImageData(side, side);
  const scale = ["$fakeTint", "$mid", "$realTint"].map((color) => rgb(colors[color]));
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++) {
      // By the root of its distance from a guess, so that small differences show.
      const sure = 2 * Math.min(1, Math.max(0, figure.heat[side - 1 - row][column])) - 1;
      const p = 0.5 + 0.5 * Math.sign(sure) * Math.sqrt(Math.abs(sure));
      picture.data.set([...mixed(p, scale), 255], 4 * (row * side + column));
    }
  const small = new OffscreenCanvas(side, side);
  small.getContext("2d").putImageData(picture, 0, 0);
  const size = Math.min(w, h);
  context.drawImage(small, (w - size) / 2, (h - size) / 2, size, size);
}

// Where the generator sends the grid of z; a cell is darker the more samples fall into its area.
function manifold(pen) {
  const { context, figure, colors, unfolded } = pen;
  const { points: there, from, shape } = figure.manifold;
  const [lines, length] = shape;
  const end = square(pen, figure.center, figure.reach);
  const start = square(pen, [0, 0], [figure.z_reach * 1.1, figure.z_reach * 1.1]);
  const t = unfolded < 1 ? unfolded * unfolded * (3 - 2 * unfolded) : 1;
  const place = (i) => {
    const [ax, ay] = start(from[2 * i], from[2 * i + 1]);
    const [bx, by] = end(there[2 * i], there[2 * i + 1]);
    return [ax + t * (bx - ax), ay + t * (by - ay)];
  };
  context.fillStyle = context.strokeStyle = colors.$fake;
  if (lines === 2 * length) cells(context, place, length);
  context.lineWidth = lines > 2 ? 0.6 : 1.6;
  for (let line = 0; line < lines; line++) {
    context.beginPath();
    for (let i = 0; i < length; i++) context.lineTo(...place(line * length + i));
    context.stroke();
  }
}

function cells(context, place, n) {
  const corners = Array.from({ length: n * n }, (_, i) => place(i));
  const quads = [];
  for (let i = 0; i + 1 < n; i++)
    for (let j = 0; j + 1 < n; j++) {
      const quad = [corners[i * n + j], corners[i * n + j + 1], corners[(i + 1) * n + j + 1], corners[(i + 1) * n + j]];
      let area = 0;
      quad.forEach(([x, y], k) => {
        const [nx, ny] = quad[(k + 1) % 4];
        area += x * ny - nx * y;
      });
      quads.push({ quad, area: Math.abs(area) / 2 });
    }
  // Every cell holds the same share of the samples, so its density goes with one over its area.
  const middle = quads.map(({ area }) => area).toSorted((a, b) => a - b)[quads.length >> 1] || 1;
  for (const { quad, area } of quads) {
    context.globalAlpha = Math.min(0.85, 0.25 * Math.sqrt(middle / Math.max(area, 1e-3)));
    context.beginPath();
    for (const corner of quad) context.lineTo(...corner);
    context.fill();
  }
  context.globalAlpha = 1;
}

function arrows(pen) {
  const { context, figure, colors } = pen;
  const to = square(pen, figure.center, figure.reach);
  context.strokeStyle = colors.$text;
  context.lineWidth = 1;
  context.beginPath();
  const flat = figure.gradient;
  for (let i = 0; i < flat.length; i += 8) {
    // every second one: the box is small
    const [x0, y0] = to(flat[i], flat[i + 1]);
    const [x1, y1] = to(flat[i + 2], flat[i + 3]);
    context.moveTo(x0, y0);
    context.lineTo(x1, y1);
    const [dx, dy] = [(x1 - x0) * 0.35, (y1 - y0) * 0.35];
    context.moveTo(x1 - dx - dy * 0.6, y1 - dy + dx * 0.6);
    context.lineTo(x1, y1);
    context.lineTo(x1 - dx + dy * 0.6, y1 - dy - dx * 0.6);
  }
  context.stroke();
}

// Images: as many as fit in a square of `across`, from the first on.
function grid(pen, { pixels, shape }, across, left, top, size) {
  const [n, height, width, channels] = shape;
  const tile = size / across;
  const small = new OffscreenCanvas(width, height);
  const inner = small.getContext("2d");
  pen.context.imageSmoothingEnabled = tile < width;
  for (let k = 0; k < Math.min(n, across * across); k++) {
    const picture = new ImageData(width, height);
    for (let i = 0; i < width * height; i++) {
      const from = (k * width * height + i) * channels;
      const [red, green, blue] = channels > 1 ? [0, 1, 2] : [0, 0, 0];
      picture.data.set([pixels[from + red], pixels[from + green], pixels[from + blue], 255], 4 * i);
    }
    inner.putImageData(picture, 0, 0);
    pen.context.drawImage(small, left + (k % across) * tile, top + Math.floor(k / across) * tile, tile - 1, tile - 1);
  }
}

function pictures(pen, name) {
  const { w, h, figure, context, colors } = pen;
  const size = Math.min(w, h);
  const [left, top] = [(w - size) / 2, (h - size) / 2];
  if (name === "g") grid(pen, figure.fake, 4, left, top, size);
  else if (name === "fake") grid(pen, figure.fake, 2, left, top, size);
  else if (name === "real") grid(pen, figure.real, 2, left, top, size);
  else if (name === "g_gradient") grid(pen, figure.gradient, 2, left, top, size);
  else if (name === "d") {
    // What it compares, each kind with a bar of its colour.
    const half = Math.min(w / 2, h) - 6;
    for (const [i, kind] of ["real", "fake"].entries()) {
      const x = w / 2 + (i ? 3 : -half - 3);
      grid(pen, figure[kind], 2, x, (h - half) / 2, half);
      context.fillStyle = colors[`$${kind}`];
      context.fillRect(x, (h + half) / 2 + 1, half, 4);
    }
  }
}

const shortly = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(2)).replace("-", "−");

// Real above the line, generated below.
function histogram({ context, w, h, colors }, { low, high, real, fake }) {
  const foot = w > 80 ? 14 : 0;
  const middle = (h - foot) / 2;
  for (const [bars, color, up] of [[real, "$real", -1], [fake, "$fake", 1]]) {
    context.fillStyle = colors[color];
    const width = w / Math.max(bars.length, 1);
    bars.forEach((share, i) => context.fillRect(i * width, middle, Math.max(1, width - 1), up * share * (middle - 2)));
  }
  context.fillStyle = colors.$text;
  context.fillRect(0, middle - 0.5, w, 1);
  if (!foot) return; // no room for numbers
  context.font = `12px ${colors.$font}`;
  context.textAlign = "left";
  context.fillText(shortly(low), 0, h - 2);
  context.textAlign = "right";
  context.fillText(shortly(high), w, h - 2);
  if (low < 0 && high > 0) {
    const zero = (-low / (high - low)) * w;
    context.fillRect(zero, 0, 1, h - foot);
    context.textAlign = "center";
    if (zero > 30 && zero < w - 30) context.fillText("0", zero, h - 2);
  }
}

// One bar from the left: [share, whether the value is below 0].
function gauge({ context, w, h, colors }, value, name) {
  if (!value) return;
  const [share, negative] = value;
  const height = Math.min(16, h / 2);
  context.fillStyle = colors[name.startsWith("d") ? "$real" : "$fake"];
  const width = Math.max(2, share * w);
  context.fillRect(negative ? w - width : 0, (h - height) / 2, width, height);
}

// A bar for each layer, input first; one for all where they are not known.
function layers(pen, norms, all, name) {
  if (!norms?.length) return gauge(pen, all, name);
  const { context, w, h, colors } = pen;
  const most = Math.max(...norms, 1e-30);
  const width = Math.min(22, w / norms.length);
  const left = (w - width * norms.length) / 2;
  context.fillStyle = colors[name.startsWith("d") ? "$real" : "$fake"];
  norms.forEach((norm, i) => {
    const height = Math.max(1, (norm / most) * (h - 2));
    context.fillRect(left + i * width, h - height, width - 3, height);
  });
}

export function anatomy(component) {
  const parent = component.parentElement;
  if (!plots.has(parent)) plots.set(parent, new Anatomy(parent));
  plots.get(parent).show(component.data);
}

export const removeAnatomy = remover(plots);
