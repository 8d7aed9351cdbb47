// The tab's own key, and what it keeps over a sign-in.

import { BASE } from "./addresses.js";

// The tab's own key: it survives a refresh, dies with the tab, and is in no link.
const STORE = "ganscope-tab";
let tabKey = null;

export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(18));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

// A browser's storage, null where it is denied: in a frame of another site, in some private windows.
function storage(name) {
  try {
    const found = window[name];
    found.setItem(`${STORE}-probe`, "");
    found.removeItem(`${STORE}-probe`);
    return found;
  } catch {
    return null;
  }
}

// Without storage the tab's history entries keep the key: they survive a refresh as well. Streamlit makes a new, empty
// one at each change of the address, so every entry that is made gets the key.
function keepInHistory() {
  for (const name of ["pushState", "replaceState"]) {
    const make = history[name].bind(history);
    history[name] = (state, ...rest) => make(tabKey ? { ...state, [STORE]: tabKey } : state, ...rest);
  }
}
if (!storage("sessionStorage")) keepInHistory();

function remembered() {
  return storage("sessionStorage")?.getItem(STORE) ?? history.state?.[STORE] ?? tabKey;
}

function remember(key) {
  tabKey = key;
  const found = storage("sessionStorage");
  if (found) found.setItem(STORE, key);
  else if (history.state?.[STORE] !== key) history.replaceState(history.state, "");
}

// Whether another page of this browser answers to a key: a duplicated tab begins with a copy of its origin's storage.
// (A lock of the browser's would say it better, but the plain http of a lecture hall has none.)
const PAGE = newKey();
const ANSWER_MS = 3000; // its page may be drawing, on a busy machine
const pages = openChannel();

function openChannel() {
  try {
    const channel = new BroadcastChannel(STORE);
    channel.addEventListener("message", ({ data }) => {
      if (data.ask === tabKey && data.page !== PAGE) channel.postMessage({ held: tabKey });
    });
    return channel;
  } catch {
    return null; // an old browser, or a frame that may not
  }
}

// true, false, or null where the browser cannot say.
function heldElsewhere(key) {
  if (!pages) return Promise.resolve(null);
  return new Promise((resolve) => {
    const hear = ({ data }) => data.held === key && end(true);
    const end = (answer) => {
      pages.removeEventListener("message", hear);
      resolve(answer);
    };
    pages.addEventListener("message", hear);
    pages.postMessage({ ask: key, page: PAGE });
    setTimeout(() => end(false), ANSWER_MS);
  });
}

// What this tab says at this attempt; the server asks again while it believes that another page holds the key: one that
// is gone but whose connection has not been missed yet, as after a lost network, or the tab that this one is a copy of.
async function introduction(renew, attempt) {
  let key = remembered();
  let alone = false;
  if (key && attempt) {
    const held = await heldElsewhere(key);
    alone = held === false;
    if (held) key = null;
  }
  if (!key || (renew && renew === key)) key = newKey();
  remember(key);
  // The browser's own key outlives the tab: who comes back may continue what was autosaved. Without storage there is
  // none, and the tab's key, said twice, stands for it.
  const local = storage("localStorage");
  if (local && !local.getItem(STORE)) local.setItem(STORE, newKey());
  return `${key}:${local?.getItem(STORE) ?? key}:${attempt}:${alone ? "alone" : ""}:${BASE.href}`;
}

// The key with which this browser counts among those who watch a presentation: the same after a refresh and in another
// tab, so that nobody answers twice. Kept for the newest presentations, and said to their servers only.
const WATCHER = "ganscope-watcher";
const PRESENTATIONS = 20;

export function watcherKey(token) {
  const local = storage("localStorage");
  const keys = keysOf(local?.getItem(WATCHER));
  const own = keys.find(([of]) => of === token) ?? [token, newKey()];
  const others = keys.filter(([of]) => of !== token);
  local?.setItem(WATCHER, JSON.stringify([...others, own].slice(-PRESENTATIONS)));
  return own[1];
}

function keysOf(text) {
  try {
    return JSON.parse(text ?? "[]").filter(([, key]) => typeof key === "string");
  } catch {
    return []; // something else wrote there
  }
}

export async function tab(component) {
  const { renew, attempt } = component.data;
  const { dataset } = component.parentElement;
  const asked = `${renew} ${attempt}`;
  if (dataset.asked === asked) return; // drawn again
  dataset.asked = asked;
  const words = await introduction(renew, attempt);
  setTimeout(() => component.setStateValue("key", words), attempt ? 400 : 0);
}

// A provider's sign-in ends on the first page, whatever link somebody came by: the tab keeps that link meanwhile.
const WAY = "ganscope-way";
const WAY_MS = 600_000;

export function signInWay(component) {
  try {
    if (component.data.where === "there") {
      if (!component.parentElement.dataset.kept) setTimeout(() => component.setStateValue("kept", true), 0);
      component.parentElement.dataset.kept = "yes"; // or cannot be: nobody has to wait any longer
      sessionStorage.setItem(WAY, JSON.stringify({ href: location.href, at: Date.now() }));
      return;
    }
    const { href, at } = JSON.parse(sessionStorage.getItem(WAY) ?? "{}");
    sessionStorage.removeItem(WAY);
    const wanted = href?.startsWith(BASE.href) && href !== location.href && Date.now() - at < WAY_MS;
    if (wanted && location.pathname === BASE.pathname) location.replace(href);
  } catch {
    // Without storage the sign-in ends on the first page.
  }
}
