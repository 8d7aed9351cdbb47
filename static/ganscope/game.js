// A round of "Real or generated?" on a watcher's page: samples one after another, over everything else.

import { Outbox, post, shuffled } from "./answers.js";
import { palette } from "./colors.js";

const SEND_MS = 1000;
const TICK_MS = 200;
const LAST_MS = 5000; // after the game is left, for answers that do not get through
const KEYS = { ArrowLeft: true, ArrowRight: false };
const SIDE = 640; // pixels of the plane that points stand on
const DOT = 9;
const SMALL_DOT = 4;

export class Game {
  // samples: as pages/ui/frames/rounds.py packs them. left: seconds. judged: what was judged before a refresh.
  constructor(parent, { token, watcher, number, judged, samples, left }) {
    Object.assign(this, { samples, number, at: judged.length });
    this.until = performance.now() + 1000 * left;
    this.order = [...judged, ...shuffled(samples.count).filter((sample) => !judged.includes(sample))];
    const path = `ganscope/frames/${token}/answers`;
    this.outbox = new Outbox(
      (pairs) => post(path, { watcher, round: number, judged: pairs }),
      (sentence) => {
        if (sentence || !this.ended) this.said.textContent = sentence;
      },
    );
    this.node = document.createElement("div");
    this.node.className = "ganscope-game";
    this.node.setAttribute("role", "dialog");
    this.node.setAttribute("aria-label", "Real or generated?");
    const thing = samples.kind === "images" ? "image" : "point";
    this.node.innerHTML = `
      <div class="head"><b>Is this ${thing} real or generated?</b><span class="time"></span>
        <button class="leave" title="Back to the run; what you have judged counts">Leave</button></div>
      <canvas class="${samples.kind}" role="img" aria-label="the ${thing} to judge"></canvas>
      <p class="said" role="status"></p>
      <div class="choice"><button class="real"><span aria-hidden="true">←</span> Real</button>
        <button class="generated">Generated <span aria-hidden="true">→</span></button></div>`;
    const find = (name) => this.node.querySelector(name);
    [this.time, this.canvas, this.said] = [".time", "canvas", ".said"].map(find);
    this.buttons = [find(".real"), find(".generated")];
    this.buttons.forEach((button, i) => button.addEventListener("click", () => this.judge(i === 0)));
    find(".leave").addEventListener("click", () => this.remove());
    this.pressed = (event) => this.key(event);
    window.addEventListener("keydown", this.pressed, { capture: true }); // before the arrows look back
    parent.append(this.node);
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.sender = setInterval(() => this.outbox.flush(), SEND_MS);
    this.draw();
    this.tick();
  }

  get over() {
    return performance.now() >= this.until || this.at >= this.order.length;
  }

  key(event) {
    const real = KEYS[event.key];
    if (real === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (!event.repeat) this.judge(real);
  }

  judge(real) {
    if (this.over) return;
    this.outbox.add(this.order[this.at], real);
    this.at += 1;
    this.draw();
    this.tick();
  }

  tick() {
    const left = Math.max(0, Math.ceil((this.until - performance.now()) / 1000));
    this.time.textContent = `${left} s · ${this.at} judged`;
    if (!this.over || this.ended) return;
    this.ended = true;
    for (const button of this.buttons) button.disabled = true;
    this.said.textContent = left ? "That was all of them. The result comes when the time is up." : "Time is up.";
    this.outbox.flush();
  }

  draw() {
    if (this.at >= this.order.length) return;
    const sample = this.order[this.at];
    if (this.samples.kind === "images") this.image(sample);
    else this.point(sample);
  }

  image(sample) {
    const [, height, width, channels] = this.samples.shape;
    Object.assign(this.canvas, { width, height });
    const context = this.canvas.getContext("2d");
    const image = context.createImageData(width, height);
    let from = sample * height * width * channels;
    const [green, blue] = channels > 1 ? [1, 2] : [0, 0];
    for (let to = 0; to < image.data.length; to += 4, from += channels) {
      image.data[to] = this.samples.pixels[from];
      image.data[to + 1] = this.samples.pixels[from + green];
      image.data[to + 2] = this.samples.pixels[from + blue];
      image.data[to + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }

  point(sample) {
    Object.assign(this.canvas, { width: SIDE, height: SIDE });
    const context = this.canvas.getContext("2d");
    const colors = palette(this.node);
    const scale = SIDE / this.samples.places;
    const dot = ([x, y], radius) => {
      context.beginPath();
      context.arc(x * scale, SIDE - y * scale, radius, 0, 2 * Math.PI);
      context.fill();
    };
    context.fillStyle = colors.$real;
    context.globalAlpha = 0.55;
    for (const place of this.samples.crowd) dot(place, SMALL_DOT);
    context.globalAlpha = 1;
    context.fillStyle = colors.$bg;
    dot(this.samples.points[sample], DOT + 3);
    context.fillStyle = colors.$text;
    dot(this.samples.points[sample], DOT);
  }

  remove() {
    clearInterval(this.timer);
    clearInterval(this.sender);
    window.removeEventListener("keydown", this.pressed, { capture: true });
    this.outbox.flush(); // what was judged counts, though nobody looks
    setTimeout(() => (this.outbox.closed = true), LAST_MS);
    this.node.remove();
  }
}
