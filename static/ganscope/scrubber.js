// The scrubber: looks back through the recorded frames. Its place is an index into them, so that early training, of
// which there are many frames, takes much of its length. Where it stands it says by an event, which the feed hears.

import { digits, remover } from "./components.js";
import { older, unpack } from "./frames.js";
import { timelines } from "./keys.js";

const ANSWER_MS = 600; // after which a replay goes on without having been answered

// Writes a property only where it changes.
const set = (node, name, value) => node[name] === value || (node[name] = value);

// What the button Best says. best: the best recorded frame that was scored (Recording.best), null where there is none.
export const bestTitle = (best) =>
  best
    ? `Back to the best frame that was scored: ${best.name} ${best.value} at step ${digits(best.step)}. Key: B`
    : "No recorded frame has been scored yet";

// Where the coach's findings began: {step, title} each -> {at, place, title}, the first recorded frame from there on, its
// place in 0..1, and what is said of it; findings that share a frame share a mark.
export function findingMarks(findings, steps) {
  const marks = new Map();
  for (const { step, title } of findings ?? []) {
    const i = steps.findIndex((one) => one >= step);
    if (i < 0) continue; // no frame shows it yet
    const said = `${title}, from step ${digits(step)}`;
    const before = marks.get(i);
    marks.set(i, { at: steps[i], place: i / steps.length, title: before ? `${before.title}; ${said}` : said });
  }
  return [...marks.values()];
}

class Scrubber {
  constructor(parent) {
    this.node = document.createElement("div");
    this.node.className = "ganscope-scrubber";
    this.node.innerHTML = `
      <button class="replay" title="Replay the recorded frames (and stop)">▶</button>
      <select class="speed" title="Speed of the replay" aria-label="speed of the replay">
        ${[2, 5, 10, 20].map((n) => `<option value="${n}"${n === 5 ? " selected" : ""}>${n} frames/s</option>`).join("")}
      </select>
      <div class="rail"><div class="findings"></div><div class="marks"></div>
        <input type="range" min="0" step="1" aria-label="history: the step that is shown"
          title="Drag, or press the arrow keys, to look back. A branch can start at each tick"></div>
      <output></output>
      <button class="best" title="${bestTitle(null)}" disabled>Best</button>
      <button class="live" title="Back to the latest step">Latest</button>
      <button class="fork" title="Saves this run and starts a branch here, with new settings">
        Branch</button>`;
    parent.append(this.node);
    const find = (name) => this.node.querySelector(name);
    [this.replay, this.speed, this.range, this.found, this.marks, this.label, this.best, this.live, this.fork] = [
      ".replay", ".speed", "input", ".findings", ".marks", "output", ".best", ".live", ".fork",
    ].map(find);
    this.at = null; // the step looked at, null for now
    this.steps = [];
    this.range.addEventListener("input", () => {
      const place = Number(this.range.value); // before `stop` draws: that would put the thumb back to the replay's place
      this.stop();
      this.go(place);
    });
    this.range.addEventListener("pointerdown", () => (this.held = true));
    for (const name of ["pointerup", "pointercancel", "blur"])
      this.range.addEventListener(name, () => (this.held = false));
    this.best.addEventListener("click", () => this.toBest());
    this.live.addEventListener("click", () => (this.stop(), this.go(this.steps.length)));
    this.fork.addEventListener("click", () => {
      this.stop();
      this.branch?.({ at: this.at, of: this.of });
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

  show(data) {
    if (older(data.place, this.newest)) return;
    this.newest = data.place;
    this.steps = Array.from(data.recorded);
    this.points = Array.from(data.checkpoints);
    this.step = data.step;
    this.answered = data.shown;
    this.canFork = data.fork;
    this.bestOf = data.best;
    this.findings = data.marks;
    let begins = false;
    if (data.of !== this.of) {
      // Another run, or the latest state was asked for; after a refresh, the step that was looked at before.
      this.at = data.at ?? null;
      this.of = data.of;
      this.stop();
      begins = data.replay;
    }
    if (this.at !== null && this.at > this.step) {
      this.at = null;
      this.say();
    }
    this.draw();
    if (begins) this.play();
  }

  // Where the thumb stands: an index into the steps, their number for now.
  place() {
    if (this.at === null) return this.steps.length;
    const i = this.steps.findLastIndex((step) => step <= this.at);
    return Math.max(i, 0);
  }

  go(place) {
    const i = Math.max(0, Math.min(place, this.steps.length));
    this.look(i >= this.steps.length ? null : this.steps[i]);
  }

  // To the recorded frame with the best score.
  toBest() {
    if (!this.bestOf) return;
    this.stop();
    this.look(this.bestOf.step);
  }

  look(at) {
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
    const detail = { at: this.at, of: this.of };
    this.node.dispatchEvent(new CustomEvent("ganscope-look", { bubbles: true, composed: true, detail }));
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
    set(this.range, "disabled", n < 2);
    set(this.replay, "disabled", n < 2);
    set(this.replay, "textContent", this.timer ? "❚❚" : "▶");
    if (!this.held) {
      set(this.range, "max", String(n));
      set(this.range, "value", String(this.place()));
    }
    const shown = this.at ?? this.step;
    this.range.setAttribute("aria-valuetext", `${this.at === null ? "latest, " : ""}step ${digits(shown ?? 0)}`);
    set(this.label, "textContent", this.at === null ? "latest" : `step ${digits(this.at)} of ${digits(this.step)}`);
    const from = this.points?.findLast((step) => step <= shown);
    set(this.fork, "disabled", from === undefined || !this.canFork || this.step === 0);
    set(this.fork, "textContent", from === undefined ? "Branch" : `Branch from ${digits(from)}`);
    const best = this.bestOf;
    set(this.best, "hidden", best === undefined);
    set(this.best, "disabled", !best);
    set(this.best, "title", bestTitle(best));
    this.node.classList.toggle("past", this.at !== null);
    this.node.dataset.at = this.at ?? "";
    this.drawFindings();
    const marks = (this.points ?? []).map((step) => this.steps.findLastIndex((s) => s <= step)).filter((i) => i >= 0);
    const key = `${n} ${marks}`;
    if (key === this.drawnMarks) return;
    this.drawnMarks = key;
    this.marks.innerHTML = [...new Set(marks)].map((i) => `<i style="left:${(100 * i) / n}%"></i>`).join("");
  }

  // A button over the rail where each finding began: a click, or Enter, looks there.
  drawFindings() {
    const marks = findingMarks(this.findings, this.steps);
    const key = JSON.stringify(marks);
    if (key === this.drawnFindings) return;
    this.drawnFindings = key;
    const focused = [...this.found.children].indexOf(this.node.getRootNode().activeElement);
    this.found.replaceChildren(
      ...marks.map(({ at, place, title }) => {
        const mark = Object.assign(document.createElement("button"), { title, textContent: "◆" });
        mark.style.left = `${100 * place}%`;
        mark.setAttribute("aria-label", `look at ${title}`);
        mark.addEventListener("click", () => (this.stop(), this.look(at)));
        return mark;
      }),
    );
    this.found.children[focused]?.focus();
  }

  remove() {
    this.stop();
    timelines.delete(this);
    this.node.remove();
  }
}

export const scrubbers = new WeakMap();

export function scrub(component) {
  const parent = component.parentElement;
  if (!scrubbers.has(parent)) scrubbers.set(parent, new Scrubber(parent));
  const own = scrubbers.get(parent);
  own.branch = (where) => component.setTriggerValue("branch", where);
  if (component.data) own.show(unpack(component.data));
}

export const removeScrubber = remover(scrubbers);
