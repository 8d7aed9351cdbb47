// Words that the feed keeps fresh.

import { older } from "./frames.js";

export const texts = new WeakMap();

export function write(parent, html, place) {
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
