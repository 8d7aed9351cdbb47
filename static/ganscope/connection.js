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
