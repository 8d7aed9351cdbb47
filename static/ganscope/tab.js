// The tab's own key, and what it keeps over a sign-in.

import { BASE } from "./addresses.js";

// The tab's own key: it survives a refresh, dies with the tab, and is in no link.
const STORE = "ganscope-tab";

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

// Without storage the tab's history entry keeps the key: it survives a refresh as well.
function remembered() {
  return storage("sessionStorage")?.getItem(STORE) ?? history.state?.[STORE] ?? tabKey;
}

function remember(key) {
  tabKey = key;
  const found = storage("sessionStorage");
  if (found) found.setItem(STORE, key);
  else if (history.state?.[STORE] !== key) history.replaceState({ ...history.state, [STORE]: key }, "");
}

let tabKey = null;

export function tab(component) {
  const { renew, attempt } = component.data;
  let key = remembered();
  if (!key || (renew && renew === key)) key = newKey();
  remember(key);
  // The browser's own key outlives the tab: who comes back may continue what was autosaved. Without storage there is
  // none, and the tab's key, said twice, stands for it.
  const local = storage("localStorage");
  if (local && !local.getItem(STORE)) local.setItem(STORE, newKey());
  const said = `${key}:${local?.getItem(STORE) ?? key}:${attempt}:${BASE.href}`;
  if (component.parentElement.dataset.said === said) return;
  component.parentElement.dataset.said = said;
  setTimeout(() => component.setStateValue("key", said), attempt ? 400 : 0);
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
