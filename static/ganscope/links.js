// A link to another page is followed until that page is there. The page that is left may still send something, a knob's
// value or a wish for a drawing, and where that reaches the server after the link's own message, the script draws the
// page that was left once more and the link is lost: to a reader, a link that does nothing.

import { connected, scripting } from "./connection.js";

const LOOK_MS = 500;
const IDLE_LOOKS = 4; // one after another, with the script at rest and the page still the old one
const TRIES = 3;

let timer = null;

function follow(href, from) {
  let [idle, tries] = [0, 0];
  timer = setInterval(() => {
    if (location.pathname !== from || tries >= TRIES) return clearInterval(timer);
    idle = connected() && !scripting() ? idle + 1 : 0;
    if (idle < IDLE_LOOKS) return;
    idle = 0;
    tries += 1;
    [...document.querySelectorAll("a[href]")].find((link) => link.href === href)?.click();
  }, LOOK_MS);
}

const ended = (path) => path.replace(/\/*$/, "/");

function used(event) {
  if (!event.isTrusted) return; // its own click
  clearInterval(timer); // who does something else has changed their mind
  const link = event.type === "click" && event.composedPath()[0].closest?.("a[href]:not([target=_blank], [download])");
  if (!link || link.origin !== location.origin || ended(link.pathname) === ended(location.pathname)) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey) return; // opens elsewhere
  const { href } = link;
  const from = location.pathname;
  // What the browser follows by itself is on its way, however slow; Streamlit's own links are kept from it.
  setTimeout(() => event.defaultPrevented && follow(href, from));
}

export function followLinks() {
  for (const name of ["click", "keydown"]) document.addEventListener(name, used, true);
  window.addEventListener("popstate", () => clearInterval(timer)); // the browser's own Back
}
