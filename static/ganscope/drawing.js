// The plane to draw a data set on, by mouse, finger or pen. A stroke is {tool, width, density, places: [[x, y], ...]} in
// the data's units; gan_core/data/drawing.py makes points of them.

import { palette } from "./colors.js";
import { digits, remover } from "./components.js";
import { unpack } from "./frames.js";

const NEAR = 0.012; // places closer to each other than this are one
const SECOND = { light: "#007a5a", dark: "#33c79f" }; // of Okabe and Ito's palette, as far from blue and orange
const TOOLS = [
  ["brush", "Brush", "Draws points of the first class"],
  ["second", "Second class", "Draws points of a second class"],
  ["eraser", "Eraser", "Takes away what it passes over"],
];
let draft = null; // what was drawn and not used yet, kept while the plane is closed: {text, strokes}

class Drawing {
  constructor(parent) {
    this.node = document.createElement("div");
    this.node.className = "ganscope-drawing";
    this.node.innerHTML = `
      <div class="tools">
        <span class="choice" role="radiogroup" aria-label="tool">${TOOLS.map(
          ([tool, name, help]) => `<button data-tool="${tool}" role="radio" title="${help}">${name}</button>`,
        ).join("")}</span>
        <label title="How wide a stroke is. Narrow: a curve, hard to hit. Wide: an area">Width
          <input class="width" type="range" step="0.01"></label>
        <label title="How many points a stroke has for its length. Low: a rare part, which the generator may miss">Density
          <input class="density" type="range" step="0.1"></label>
      </div>
      <canvas tabindex="0"></canvas>
      <div class="tools">
        <button class="undo" title="Takes the last stroke back (Ctrl Z)">Undo</button>
        <button class="redo" title="Draws it again (Ctrl Y)">Redo</button>
        <button class="clear" title="Takes all strokes away">Clear</button>
        <output></output>
        <button class="use" title="Trains on this drawing. Restarts training">Use this drawing</button>
      </div>`;
    parent.append(this.node);
    const find = (name) => this.node.querySelector(name);
    [this.canvas, this.width, this.density, this.label, this.undo, this.redo, this.clear, this.use] = [
      "canvas", ".width", ".density", "output", ".undo", ".redo", ".clear", ".use",
    ].map(find);
    this.buttons = [...this.node.querySelectorAll("[data-tool]")];
    [this.strokes, this.past, this.future] = [[], [], []]; // what is drawn, before its last changes, after them
    for (const button of this.buttons) button.addEventListener("click", () => this.choose(button.dataset.tool));
    this.undo.addEventListener("click", () => this.back());
    this.redo.addEventListener("click", () => this.again());
    this.clear.addEventListener("click", () => this.change([]));
    this.use.addEventListener("click", () => {
      if (draft) draft.used = true; // and gone, unless it is refused
      this.send?.({ strokes: this.strokes.map((s) => [s.tool, s.width, s.density, s.places]) });
    });
    this.node.addEventListener("keydown", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      const key = event.key.toLowerCase();
      if (key === "z" && !event.shiftKey) this.back();
      else if (key === "y" || key === "z") this.again();
      else return;
      event.preventDefault();
    });
    this.canvas.addEventListener("pointerdown", (event) => this.begin(event));
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) this.canvas.addEventListener(name, () => this.end());
    this.canvas.addEventListener("pointerleave", () => ((this.over = null), this.paint()));
    this.sizes = new ResizeObserver(() => this.paint());
    this.sizes.observe(this.canvas);
    this.choose("brush");
  }

  show(data) {
    this.most = data.most;
    this.reach = data.reach;
    for (const name of ["width", "density"]) {
      if (this[name].dataset.set) continue;
      [this[name].min, this[name].max, this[name].value] = data[name];
      this[name].dataset.set = "1";
    }
    this.dots = data.dots;
    if (draft?.used && data.refused) draft.used = false;
    if (draft?.used && data.text !== this.text) draft = null;
    if (data.text !== this.text) {
      this.text = data.text;
      const kept = draft?.text === data.text ? draft.strokes : null;
      this.strokes = kept ?? data.strokes.map(([tool, width, density, places]) => ({ tool, width, density, places }));
      [this.past, this.future] = [[], []];
    }
    this.paint();
  }

  choose(tool) {
    this.tool = tool;
    for (const button of this.buttons) button.setAttribute("aria-checked", String(button.dataset.tool === tool));
  }

  // Each change is kept whole, so that Undo brings back what Clear took.
  change(strokes) {
    this.past.push(this.strokes);
    this.future = [];
    this.put(strokes);
  }

  put(strokes) {
    this.strokes = strokes;
    draft = { text: this.text, strokes };
    this.paint();
  }

  back() {
    if (!this.past.length) return;
    this.future.push(this.strokes);
    this.put(this.past.pop());
  }

  again() {
    if (!this.future.length) return;
    this.past.push(this.strokes);
    this.put(this.future.pop());
  }

  places() {
    return this.strokes.reduce((sum, stroke) => sum + stroke.places.length, 0);
  }

  full() {
    return this.strokes.length >= this.most[0] || this.places() >= this.most[1];
  }

  // Where an event is, in the data's units.
  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const unit = (2 * this.reach) / box.width;
    const inside = (v) => Math.max(-this.reach, Math.min(this.reach, v));
    return [
      inside((event.clientX - box.left) * unit - this.reach),
      inside(this.reach - (event.clientY - box.top) * unit),
    ];
  }

  begin(event) {
    if (event.button || this.full()) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.stroke = {
      tool: this.tool,
      width: Number(this.width.value),
      density: Number(this.density.value),
      places: [this.at(event)],
    };
    this.change([...this.strokes, this.stroke]);
  }

  move(event) {
    this.over = this.at(event);
    if (this.stroke) {
      // A fast stroke has more places than the browser has events.
      for (const each of event.getCoalescedEvents?.() ?? [event]) {
        const [x, y] = this.at(each);
        const [a, b] = this.stroke.places.at(-1);
        if (Math.hypot(x - a, y - b) >= NEAR && !this.full()) this.stroke.places.push([x, y]);
      }
    }
    this.paint();
  }

  end() {
    this.stroke = null;
    this.paint();
  }

  paint() {
    if (this.painting || !this.reach) return;
    this.painting = requestAnimationFrame(() => {
      this.painting = null;
      this.draw();
    });
  }

  draw() {
    const side = this.canvas.clientWidth;
    if (!side) return;
    const scale = side * (window.devicePixelRatio || 1);
    if (this.canvas.width !== Math.round(scale)) this.canvas.width = this.canvas.height = Math.round(scale);
    const colors = palette(this.node);
    const unit = this.canvas.width / (2 * this.reach);
    const [x, y] = [(v) => (v + this.reach) * unit, (v) => (this.reach - v) * unit];
    const pen = this.canvas.getContext("2d");
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    pen.strokeStyle = colors.$grid;
    pen.fillStyle = colors.$text;
    pen.font = `${unit * 0.09}px ${colors.$font}`;
    for (const v of [-1, 0, 1]) {
      pen.beginPath();
      pen.moveTo(x(v), 0);
      pen.lineTo(x(v), this.canvas.height);
      pen.moveTo(0, y(v));
      pen.lineTo(this.canvas.width, y(v));
      pen.stroke();
      pen.fillText(String(v), x(v) + 0.02 * unit, y(-this.reach) - 0.02 * unit);
      if (v) pen.fillText(String(v), 0.02 * unit, y(v) - 0.02 * unit);
    }
    pen.drawImage(this.layer(x, y, unit, colors), 0, 0);
    if (this.over) {
      pen.strokeStyle = colors.$text;
      pen.lineWidth = 1;
      pen.beginPath();
      pen.arc(x(this.over[0]), y(this.over[1]), (Number(this.width.value) / 2) * unit, 0, 7);
      pen.stroke();
    }
    const n = this.strokes.length;
    this.undo.disabled = !this.past.length;
    this.redo.disabled = !this.future.length;
    this.clear.disabled = !n;
    this.use.disabled = !n && !this.dots.length;
    this.label.textContent = this.full() ? "The drawing is full." : `${digits(n)} stroke${n === 1 ? "" : "s"}`;
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", `plane to draw on, from -1.5 to 1.5 both ways: ${this.label.textContent}`);
    this.node.dataset.strokes = n;
  }

  // What is drawn, on nothing: an eraser takes away what was there before it, the set to start from too.
  layer(x, y, unit, colors) {
    this.sheet ??= document.createElement("canvas");
    this.sheet.width = this.sheet.height = this.canvas.width;
    const pen = this.sheet.getContext("2d");
    pen.lineCap = pen.lineJoin = "round";
    pen.fillStyle = colors.$real;
    for (let i = 0; i + 1 < this.dots.length; i += 2)
      pen.fillRect(x(this.dots[i]) - 1.5, y(this.dots[i + 1]) - 1.5, 3, 3);
    const second = colors.$real === "#0072b2" ? SECOND.light : SECOND.dark;
    for (const { tool, width, density, places } of this.strokes) {
      const trace = () => {
        pen.beginPath();
        pen.moveTo(x(places[0][0]), y(places[0][1]));
        for (const [a, b] of places.length > 1 ? places.slice(1) : places) pen.lineTo(x(a), y(b));
        pen.stroke();
      };
      pen.globalCompositeOperation = tool === "eraser" ? "destination-out" : "source-over";
      pen.globalAlpha = tool === "eraser" ? 1 : Math.min(0.95, 0.35 + 0.2 * density);
      pen.strokeStyle = tool === "second" ? second : colors.$real;
      pen.lineWidth = Math.max(1, width * unit);
      trace();
      if (tool !== "second") continue;
      // Not by colour alone.
      pen.globalAlpha = 1;
      pen.strokeStyle = colors.$bg;
      pen.lineWidth = Math.max(1, 0.012 * unit);
      pen.setLineDash([0.05 * unit, 0.05 * unit]);
      trace();
      pen.setLineDash([]);
    }
    pen.globalCompositeOperation = "source-over";
    pen.globalAlpha = 1;
    return this.sheet;
  }

  remove() {
    cancelAnimationFrame(this.painting);
    this.sizes.disconnect();
    this.node.remove();
  }
}

const drawings = new WeakMap();

export function drawing(component) {
  const parent = component.parentElement;
  if (!drawings.has(parent)) drawings.set(parent, new Drawing(parent));
  const own = drawings.get(parent);
  own.send = (what) => component.setTriggerValue("use", what);
  if (component.data) own.show(unpack(component.data));
}

export const removeDrawing = remover(drawings);
