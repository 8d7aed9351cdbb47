// The feed: while anything moves the browser asks for frames itself, ten a second or as many as it can draw.

import { remover, SLEEP } from "./components.js";
import { announce, connected } from "./connection.js";
import { older, unpack } from "./frames.js";
import { plots } from "./live_plot.js";
import { texts, write } from "./live_text.js";
import { Line } from "./requests.js";
import { scrubbers } from "./scrubber.js";

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

export const removeFeed = remover(feeds);
