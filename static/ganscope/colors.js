// The colours of the page's theme, and mixtures of them.

// Okabe and Ito's palette: told apart by colour-blind eyes, lighter blue on dark.
export function palette(element) {
  const style = getComputedStyle(element);
  const read = (name, fallback) => style.getPropertyValue(name).trim() || fallback;
  const background = read("--st-background-color", "#ffffff");
  const dark = luminance(background) < 0.4;
  return {
    $text: read("--st-text-color", dark ? "#fafafa" : "#31333f"),
    $bg: background,
    $grid: dark ? "rgba(250,250,250,0.16)" : "rgba(49,51,63,0.14)",
    $line: dark ? "rgba(250,250,250,0.55)" : "rgba(49,51,63,0.55)",
    $band: dark ? "rgba(250,250,250,0.13)" : "rgba(49,51,63,0.1)",
    $real: dark ? "#56b4e9" : "#0072b2",
    $fake: dark ? "#ff9e3d" : "#d9680a",
    $fakeText: dark ? "#ff9e3d" : "#a84c00", // letters need more contrast than areas
    $realTint: dark ? "#17476b" : "#a8d3f0",
    $fakeTint: dark ? "#5e3610" : "#f8cfa5",
    $mid: dark ? "#1c1f26" : "#f7f7f7",
    $font: read("--st-font", "sans-serif"),
  };
}

// Red, green and blue in 0..255. The browser itself resolves the colour, in a style: no canvas is read back, for
// browsers that guard against fingerprinting answer that with noise.
let probe = null;
const known = new Map();

export function rgb(color) {
  if (!known.has(color)) {
    probe ??= document.createElement("span");
    probe.style.color = "";
    probe.style.color = color;
    document.body.append(probe);
    const computed = getComputedStyle(probe).color;
    probe.remove();
    const scale = computed.startsWith("color(") ? 255 : 1;
    const numbers = computed.replace(/^[^(]*\((srgb)?/, "").match(/[\d.e-]+/g) ?? [0, 0, 0];
    known.set(color, numbers.slice(0, 3).map((n) => scale * Number(n)));
  }
  return known.get(color);
}

function luminance(color) {
  const [r, g, b] = rgb(color);
  return (0.299 * r + 0.587 * g + 0.114 * b) / 255;
}

export function paint(value, colors) {
  if (typeof value === "string") return colors[value] ?? value.replace(/(?<=color:)\$\w+/g, (name) => colors[name]);
  if (Array.isArray(value)) return value.map((v) => paint(v, colors));
  if (value && typeof value === "object" && !ArrayBuffer.isView(value)) {
    for (const key in value) value[key] = paint(value[key], colors);
  }
  return value;
}

// From low over middle to high as p goes from 0 to 1.
export function mixed(p, [low, middle, high]) {
  const [from, to, share] = p < 0.5 ? [low, middle, 2 * p] : [middle, high, 2 * p - 1];
  return from.map((value, c) => value + share * (to[c] - value));
}
