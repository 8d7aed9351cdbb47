// What the page says of its connection.

// At one place, covering nothing that can be clicked.
let bar = null;

export function announce(sentence) {
  if (!bar && !sentence) return;
  if (!bar?.isConnected) {
    bar = Object.assign(document.createElement("div"), { className: "ganscope-line" });
    bar.setAttribute("role", "status");
    (document.querySelector(".stApp") ?? document.body).append(bar); // whose theme it has
  }
  if (bar.textContent !== sentence) bar.textContent = sentence;
}

// Whether the page's own connection, on which its buttons act, is there.
export function connected() {
  const state = document.querySelector(".stApp")?.dataset.testConnectionState;
  return !state || state === "CONNECTED" || state.startsWith("STATIC");
}

// Whether the page's script runs now.
export function scripting() {
  return document.querySelector(".stApp")?.dataset.testScriptState === "running";
}

// What a user has done just now may still be on its way to the script, which then draws by itself. A link to another page
// takes longest, and a wish of the page that is left would call the script back to it.
const DONE_MS = 1_000;
const LEFT_MS = 10_000;
let until = 0;

function done(event) {
  const left = event.type === "click" && event.composedPath()[0].closest?.("a[href]:not([target=_blank])");
  until = Math.max(until, performance.now() + (left ? LEFT_MS : DONE_MS));
}

// Whether the script draws now, or is about to.
export function busy() {
  return scripting() || performance.now() < until;
}

export function noticeUse() {
  for (const name of ["click", "input", "change"]) document.addEventListener(name, done, true);
}
