// What there is to say: each notice can be closed, and goes by itself once there was time to read it.
const READING_MS = 70; // a letter
const SHORTEST_MS = 8000;
const ends = new Map(); // number of a notice -> when it goes, for it may be drawn on several pages

export function notices(component) {
  const { parentElement, data } = component;
  let box = parentElement.querySelector(":scope > .ganscope-notices");
  if (!box) {
    box = Object.assign(document.createElement("div"), { className: "ganscope-notices" });
    box.setAttribute("role", "status");
    parentElement.append(box);
  }
  for (const { number, text } of data.items) {
    if (!ends.has(number)) ends.set(number, performance.now() + Math.max(SHORTEST_MS, READING_MS * text.length));
    const left = () => ends.get(number) - performance.now();
    if (left() <= 0 || box.querySelector(`[data-number="${CSS.escape(number)}"]`)) continue;
    const note = document.createElement("div");
    note.dataset.number = number;
    const close = Object.assign(document.createElement("button"), { textContent: "✕", title: "Close" });
    close.setAttribute("aria-label", "Close");
    close.addEventListener("click", () => (ends.set(number, 0), note.remove()));
    note.append(Object.assign(document.createElement("span"), { textContent: text }), close);
    box.append(note);
    const go = () => (note.matches(":hover, :focus-within") ? setTimeout(go, 1000) : note.remove());
    setTimeout(go, left());
  }
}
