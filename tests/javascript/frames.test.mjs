// Frames in bytes: what pages/ui/components/liveplot.py packs is read back as it was.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { older, unpack } from "../../static/ganscope/frames.js";

// Arrays as what they hold, so that they compare with JSON.
const plain = (value) => {
  if (ArrayBuffer.isView(value)) return { kind: value.constructor.name, values: Array.from(value) };
  if (Array.isArray(value)) return value.map(plain);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]));
  return value;
};

const bytesOf = (text) => new Uint8Array(Buffer.from(text, "base64"));

test("what Python packed is what the browser reads", () => {
  const cases = JSON.parse(readFileSync(process.env.GANSCOPE_PACKED, "utf8"));
  assert.ok(cases.length > 20);
  for (const { packed, meant } of cases) assert.deepEqual(plain(unpack(bytesOf(packed))), meant);
});

test("arrays are copies that outlive the message", () => {
  const [{ packed, meant }] = JSON.parse(readFileSync(process.env.GANSCOPE_PACKED, "utf8"));
  const bytes = bytesOf(packed);
  const read = unpack(bytes);
  bytes.fill(0);
  assert.deepEqual(plain(read), meant);
});

test("a frame is older than another of its own feed only", () => {
  assert.equal(older(["a", 1], ["a", 2]), true);
  assert.equal(older(["a", 2], ["a", 2]), false);
  assert.equal(older(["a", 3], ["a", 2]), false);
  assert.equal(older(["b", 1], ["a", 2]), false);
  assert.equal(older(undefined, ["a", 2]), false);
  assert.equal(older(["a", 1], null), false);
});
