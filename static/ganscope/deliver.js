import { unpack } from "./frames.js";

// A file for the user: saved once, however often it is drawn; the server is told, and sends it no more.
const delivered = new Set();

export function deliver(component) {
  if (!component.data) return;
  const { name, mime, number, content } = unpack(component.data);
  setTimeout(() => component.setTriggerValue("received", number));
  if (delivered.has(number)) return;
  delivered.add(number);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: mime }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
