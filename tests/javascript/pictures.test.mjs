// Pictures inside a plot, as bytes of a bitmap: each pixel where it belongs.

import assert from "node:assert/strict";
import { test } from "node:test";

import { mixed, paint } from "../../static/ganscope/colors.js";
import { Bitmap, lay, warm } from "../../static/ganscope/pictures.js";

// The browser's own reading of colours: here of "rgb(1, 2, 3)" alone.
const span = { style: {}, remove() {} };
globalThis.document = { createElement: () => span, body: { append() {} } };
globalThis.getComputedStyle = (node) => node.style;

const COLORS = { $bg: "rgb(9, 9, 9)", $fake: "rgb(200, 100, 0)", $real: "rgb(0, 100, 200)", $fakeTint: "rgb(200, 0, 0)",
  $mid: "rgb(100, 100, 100)", $realTint: "rgb(0, 0, 200)" };

// {width, height, at(x, y) -> [red, green, blue]} of a data address.
function read(uri) {
  const bytes = Buffer.from(uri.replace("data:image/bmp;base64,", ""), "base64");
  assert.equal(bytes.toString("latin1", 0, 2), "BM");
  assert.equal(bytes.readUInt32LE(2), bytes.length);
  const [width, height] = [bytes.readInt32LE(18), bytes.readInt32LE(22)];
  const stride = (3 * width + 3) & ~3;
  assert.equal(bytes.length, 54 + stride * height);
  const at = (x, y) => {
    const from = 54 + (height - 1 - y) * stride + 3 * x;
    return [bytes[from + 2], bytes[from + 1], bytes[from]];
  };
  return { width, height, at };
}

test("a bitmap of any width holds what was set", () => {
  for (const width of [1, 2, 3, 4, 5]) {
    const made = new Bitmap(width, 2);
    made.set(width - 1, 0, [1, 2, 3]);
    made.set(0, 1, [4, 5, 6]);
    const seen = read(made.uri());
    assert.deepEqual([seen.width, seen.height], [width, 2]);
    assert.deepEqual(seen.at(width - 1, 0), [1, 2, 3]);
    assert.deepEqual(seen.at(0, 1), [4, 5, 6]);
  }
});

for (const channels of [1, 3])
  test(`a grid of ${channels}-channel images has each pixel in its place, a border between, and ground behind`, () => {
    const [n, height, width, columns] = [5, 2, 3, 2];
    const pixels = Uint8Array.from({ length: n * height * width * channels }, (_, i) => (i * 7) % 256);
    const trace = { tiles: { pixels, shape: [n, height, width, channels], columns } };
    lay(trace, COLORS);
    const seen = read(trace.source);
    assert.deepEqual([seen.width, seen.height], [columns * (width + 2), 3 * (height + 2)]);
    for (let i = 0; i < n; i++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          const from = ((i * height + y) * width + x) * channels;
          const meant = channels === 1 ? Array(3).fill(pixels[from]) : Array.from(pixels.subarray(from, from + 3));
          const [left, top] = [(i % columns) * (width + 2), Math.floor(i / columns) * (height + 2)];
          assert.deepEqual(seen.at(left + 1 + x, top + 1 + y), meant);
          assert.deepEqual(seen.at(left, top + 1 + y), [9, 9, 9]);
        }
    assert.deepEqual(seen.at(2 * (width + 2) - 2, 3 * (height + 2) - 2), [9, 9, 9]); // where a sixth would be
    assert.equal(trace.tiles, undefined);
  });

test("frames around images go from generated through ground to real as p(real) goes from 0 to 1", () => {
  const trace = { tiles: { pixels: new Uint8Array(3), shape: [3, 1, 1, 1], columns: 3, frames: [0, 0.5, 1] } };
  lay(trace, COLORS);
  const seen = read(trace.source);
  assert.deepEqual([0, 3, 6].map((x) => seen.at(x, 0)), [[200, 100, 0], [9, 9, 9], [0, 100, 200]]);
});

test("a ground of p(real) lies as the axes do: the first row is the lowest", () => {
  const z = [Float32Array.of(0, 1), Float32Array.of(0.5, -3)]; // what is outside 0 to 1 takes the end's colour
  const layout = { showlegend: true };
  const traces = warm({ name: "p(real)", center: [10, 20], reach: [2, 2], z }, COLORS, layout);
  const [image] = layout.images;
  const seen = read(image.source);
  assert.deepEqual(seen.at(0, 1), [200, 0, 0]);
  assert.deepEqual(seen.at(1, 1), [0, 0, 200]);
  assert.deepEqual(seen.at(0, 0), [100, 100, 100]);
  assert.deepEqual(seen.at(1, 0), [200, 0, 0]);
  assert.deepEqual([image.x, image.y, image.sizex, image.sizey], [6, 16, 8, 8]); // half a cell beyond the outer points
  assert.deepEqual([Array.from(traces[0].x), Array.from(traces[0].y)], [[8, 12, 8, 12], [18, 18, 22, 22]]);
  assert.equal(traces.length, 2); // the second is the colour bar
  assert.equal(warm({ name: "", center: [0, 0], reach: [1, 1], z }, COLORS, {}).length, 1);
});

test("colours are put in for their names, in nested parts and in the words of hover", () => {
  const figure = { marker: { color: "$real", list: ["$fake", "red"] }, text: "<b style='color:$fake'>x</b>", x: new Float32Array(2) };
  const painted = paint(figure, COLORS);
  assert.deepEqual(painted.marker, { color: COLORS.$real, list: [COLORS.$fake, "red"] });
  assert.equal(painted.text, `<b style='color:${COLORS.$fake}'>x</b>`);
  assert.ok(painted.x instanceof Float32Array);
});

test("a mixture is its ends and its middle", () => {
  const scale = [[0, 0, 0], [10, 20, 30], [100, 100, 100]];
  assert.deepEqual([0, 0.25, 0.5, 1].map((p) => mixed(p, scale)), [[0, 0, 0], [5, 10, 15], [10, 20, 30], [100, 100, 100]]);
});
