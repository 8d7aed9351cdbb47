// What somebody presents: frames come by plain requests, each answered once there is something new.

import { digits, remover, SLEEP } from "./components.js";
import { unpack } from "./frames.js";
import { Hall } from "./hall.js";
import { Anatomy } from "./anatomy.js";
import { timelines } from "./keys.js";
import { LivePlot } from "./live_plot.js";
import { Line } from "./requests.js";
import { watcherKey } from "./tab.js";

const OPTIONAL = new Set(["manifold", "gradients", "trails"]); // layers that are off until somebody wants them
const WATCH_MS = 50;
const WATCH_ANSWER_MS = 25_000; // an answer waits for a newer frame
const NEVER = 2 ** 29; // no frame has this number: the request only says that somebody is still here

class Watch {
  constructor(parent, { token, kind }, version) {
    [this.token, this.version, this.number, this.at, this.steps] = [token, version, 0, null, []];
    this.watcher = watcherKey(token);
    this.line = new Line(WATCH_MS, WATCH_ANSWER_MS, (sentence) => {
      this.trouble.textContent = sentence;
      this.trouble.hidden = !sentence;
    });
    this.node = document.createElement("div");
    this.node.className = `ganscope-watch ${kind === "images" ? "pictures" : "points"}`;
    this.node.innerHTML = `
      <div class="gone trouble" role="status" hidden></div>
      <div class="hall"></div>
      <div class="head"><b class="step">step …</b><span class="status">waiting for the first frame</span>
        <span class="layers"></span></div>
      <div class="samples"></div>${kind === "images" ? '<div class="real"></div>' : ""}
      <div class="side"><div class="anatomy"></div><div class="losses"></div><div class="modes"></div><div class="classes"></div>
        <div class="scores"></div></div>
      <div class="bar ganscope-scrubber"><div class="rail"><input type="range" min="0" step="1" disabled
        aria-label="what was presented so far: the step that is shown" title="Drag to look back"></div>
        <output></output><button class="live" title="Back to the latest step">Latest</button></div>`;
    parent.append(this.node);
    const find = (name) => this.node.querySelector(name);
    [this.step, this.status, this.layers, this.scores, this.range, this.label, this.trouble] = [
      ".step", ".status", ".layers", ".scores", "input", "output", ".trouble",
    ].map(find);
    this.hall = new Hall(find(".hall"), token, this.watcher);
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
        const path = `ganscope/frames/${this.token}?${wish}&hall=${this.hall.revision}&watcher=${this.watcher}`;
        const answer = await this.line.ask(path, this.abort.signal);
        if (answer?.status === 404) return this.end(answer.text);
        if (answer?.status === 200) {
          this.show(unpack(answer.bytes));
          shown = asked;
        }
        if (answer && answer.hall !== this.hall.revision) await this.hall.refresh(this.line);
        await SLEEP(this.line.gap);
      } catch (error) {
        if (!this.abort.signal.aborted) throw error; // another step is wanted
      }
    }
  }

  show(frame) {
    if (this.at === null) {
      this.number = frame.number;
      this.steps = Array.from(frame.past);
      this.newest = frame.step;
    }
    this.step.textContent = `step ${digits(frame.shown)}`;
    this.status.textContent = frame.rate ? `${frame.status} · ${digits(frame.rate)} steps/s` : frame.status;
    this.scores.innerHTML = frame.scores; // made by the server, of numbers and its own words
    this.node.dataset.number = frame.number;
    this.node.dataset.step = frame.shown;
    for (const [name, bytes] of Object.entries(frame.panels)) {
      const place = this.node.querySelector(`.${name}`);
      if (!place) continue;
      if (!this.plots.has(name)) this.plots.set(name, new (name === "anatomy" ? Anatomy : LivePlot)(place));
      const plot = this.plots.get(name);
      if (name === "samples") {
        plot.hidden = this.hidden;
        this.offer(unpack(bytes).data.map((trace) => trace.name));
      }
      plot.show(bytes, this.version);
    }
    for (const [name, plot] of this.plots) {
      if (name in frame.panels) continue;
      plot.remove(); // the presenter shows something else in its place
      this.plots.delete(name);
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
    const shown = this.at ?? this.newest ?? 0;
    this.range.setAttribute("aria-valuetext", `${this.at === null ? "latest, " : ""}step ${digits(shown)}`);
    this.label.textContent = this.at === null ? "latest" : `step ${digits(this.at)} of ${digits(this.newest)}`;
    this.node.querySelector(".bar").classList.toggle("past", this.at !== null);
  }

  end(sentence) {
    this.gone = true;
    this.hall.remove();
    this.trouble.textContent = sentence;
    this.trouble.hidden = false;
  }

  remove() {
    this.gone = true;
    timelines.delete(this);
    this.hall.remove();
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

export const removeWatch = remover(watches);

// On a page of its own, without Streamlit (pages/ui/frames/watch_page.py).
export function watchAlone(parent, data, version) {
  const alone = new Watch(parent, data, version);
  const theme = window.matchMedia("(prefers-color-scheme: dark)");
  theme.addEventListener("change", () => {
    alone.plots.forEach((plot) => plot.retheme());
    alone.hall.game?.draw();
  });
}
