// Keys of a page with a run: one listener for all of them. Streamlit's own shortcuts are deaf while any input has the
// focus, so after a turned slider too; these are only where something is written.
// key -> the button's, or the switch's, key in the script
const BUTTONS = {
  p: "play",
  s: "step",
  0: "reset",
  n: "new_seed",
  a: "anatomy",
  d: "step_d",
  g: "step_g",
  m: "slow_motion",
  ",": "phase_back",
  ".": "phase_next",
};
const ARROWS = { ArrowLeft: -1, ArrowRight: 1 };
const SWITCHES = ["range", "checkbox", "radio", "button", "submit", "reset", "file", "color"];
const WRITING = `textarea, select, [contenteditable], input${SWITCHES.map((type) => `:not([type=${type}])`).join("")}`;
// Who has the focus here has a use of its own for the arrows.
const ARROWED = `${WRITING}, input:not([type=checkbox]), [role=slider], [role=radio], [role=radiogroup], [role=listbox],
  [role=menu], .js-plotly-plot`;
export const timelines = new Set(); // what looks back, on the page that is open

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const target = event.composedPath()[0];
  const within = (selector) => Boolean(target.closest?.(selector));
  const by = ARROWS[event.key];
  if (by) {
    const open = [...timelines].filter((one) => one.node.isConnected);
    const line = open.find((one) => one.range === target) ?? (within(ARROWED) ? null : open.at(-1));
    if (!line?.steps.length) return;
    event.preventDefault();
    line.move(by);
  } else if (!event.repeat && !within(WRITING) && event.key?.toLowerCase() === "b") {
    const line = [...timelines].findLast((one) => one.node.isConnected && one.bestOf);
    if (!line) return;
    event.preventDefault();
    line.toBest();
  } else if (!event.repeat && !within(WRITING)) {
    const place = `.st-key-${BUTTONS[event.key?.toLowerCase()]}`;
    const button = document.querySelector(`${place} input[type=checkbox]`) ?? document.querySelector(`${place} button:not(:disabled)`);
    if (!button) return;
    event.preventDefault();
    button.click();
  }
}

export function listen() {
  window.ganscopeKeys?.abort(); // of an older version of this file in the same page
  window.ganscopeKeys = new AbortController();
  document.addEventListener("keydown", pressed, { signal: window.ganscopeKeys.signal });
}
