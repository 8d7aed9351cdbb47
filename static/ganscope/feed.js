// The feed, the one clock of a page's picture: the browser asks for frames as often as each of them says, ten a second
// at most or as many as it can draw, and has the script draw once more where a frame does not fit what it drew.

import { remover, SLEEP } from "./components.js";
import { announce, busy, connected } from "./connection.js";
import { older, unpack } from "./frames.js";
import { plots } from "./live_plot.js";
import { texts, write } from "./live_text.js";
import { Line } from "./requests.js";
import { scrubbers } from "./scrubber.js";

const FEED_MS = 100;
const FEED_ANSWER_MS = 8_000;
const OUTDATED_MS = 200; // a click, too, changes what fits, and brings the script's drawing by itself
const REDRAW_MS = 2000; // between two drawings that are asked for
const LOST_MS = 1000; // without a connection, until it is said
const LOST = "Connection lost, trying again … Until then the plot stands still and buttons do nothing.";

class Feed {
  constructor() {
    this.line = new Line(FEED_MS, FEED_ANSWER_MS, (sentence) => (this.trouble = sentence) !== null && this.say());
    this.trouble = "";
    const app = document.querySelector(".stApp");
    this.watchdog = new MutationObserver(() => this.checked());
    if (app) this.watchdog.observe(app, { attributes: true, attributeFilter: ["data-test-connection-state"] });
    this.looks = ({ detail }) => this.look(detail);
    document.addEventListener("ganscope-look", this.looks);
  }

  checked() {
    clearTimeout(this.lost);
    this.cut = false;
    if (connected()) this.say();
    else this.lost = setTimeout(() => ((this.cut = true), this.say()), LOST_MS);
  }

  say() {
    if (!this.gone) announce(this.cut ? LOST : this.wait ? this.trouble : "");
  }

  remove() {
    this.gone = true;
    clearTimeout(this.lost);
    clearTimeout(this.outdated);
    this.watchdog.disconnect();
    document.removeEventListener("ganscope-look", this.looks);
    this.wake?.();
    announce("");
  }

  // What the script drew.
  show(component) {
    const newer = this.place;
    Object.assign(this, component.data);
    // A frame was quicker than this drawing, and may have said that it does not fit: the next one says so, or not.
    if (older(this.place, newer)) [this.place, this.wait] = [newer, this.wait || FEED_MS];
    this.drawings = (this.drawings ?? 0) + 1;
    this.version = component.version;
    clearTimeout(this.outdated);
    this.outdated = null;
    this.redraw = () => component.setTriggerValue("outdated", this.wish ?? true);
    if (this.wish) this.wait ||= FEED_MS; // it is not answered yet
    this.work();
  }

  // What the scrubber wants to see: {at: a step, null for now, of: what it counts in}.
  look(wish) {
    this.wish = wish;
    this.wait ||= FEED_MS;
    this.work();
  }

  async work() {
    this.wake?.();
    if (this.working || this.gone) return;
    this.working = true;
    let next = null;
    while (this.wait && !this.gone) {
      const started = performance.now();
      const frame = await (next ?? this.fetch());
      while (!this.gone && this.behind()) await SLEEP(5);
      next = this.wait > FEED_MS ? null : this.fetch(); // while this one is drawn
      if (frame) this.draw(frame);
      await this.rest(Math.max(this.line.gap, this.wait) - (performance.now() - started));
    }
    this.working = false;
    this.say();
  }

  rest(ms) {
    return new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, Math.max(0, ms));
    });
  }

  // Has the script draw once more, unless it does so anyway.
  askForDrawing() {
    this.outdated ??= setTimeout(() => {
      this.outdated = null;
      if (this.gone || document.hidden || performance.now() < this.asked + REDRAW_MS) return;
      if (busy()) return this.askForDrawing();
      this.asked = performance.now();
      this.redraw();
      if (this.line.blocked) this.wish = null; // the script has heard of it
    }, OUTDATED_MS);
  }

  // The newest frame; nothing where there is no newer one, or nobody looks, or the buttons are dead: then the picture
  // must not go on either.
  async fetch() {
    if (document.hidden || !connected()) return SLEEP(FEED_MS);
    const { token, wish, drawings } = this;
    const query = wish ? `?${new URLSearchParams({ of: wish.of, ...(wish.at !== null && { at: wish.at }) })}` : "";
    const answer = await this.line.ask(`ganscope/live/${token}${query}`);
    // No frames come through, or the server knows this feed no more: another one is on its way, or it has been started
    // anew, and only the script can go on.
    if (this.line.blocked || answer?.status === 404) this.askForDrawing();
    if (answer?.status === 404) return SLEEP(1000);
    if (answer?.status === 200) return { token, wish, drawings, ...unpack(answer.bytes) };
  }

  found(key, kind) {
    return document.querySelector(`.st-key-${CSS.escape(key)} .${kind}`)?.parentElement;
  }

  draw(frame) {
    if (this.gone || !connected() || frame.token !== this.token || older(frame.place, this.place)) return;
    this.place = frame.place;
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
    if (frame.wish === this.wish) this.wish = null; // answered, and the server keeps it
    // A frame that was asked for before the script drew knows nothing of what changed: it cannot say that all stands still.
    const outrun = frame.drawings !== this.drawings;
    this.wait = frame.wait || (this.wish || outrun ? FEED_MS : 0);
    if (!frame.fits && !outrun) this.askForDrawing();
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

export const removeFeed = remover(feeds);
