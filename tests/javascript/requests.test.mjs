// The way frames come by: how it slows down, recovers, and what it says. Time and the network are stood in for.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { Line } from "../../static/ganscope/requests.js";

const OWN = { "cross-origin-resource-policy": "same-origin" };
const FRAME = { ...OWN, "content-type": "application/octet-stream" };
let answers, asked, said, line;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  [answers, asked, said] = [[], [], []];
  globalThis.fetch = (url, { signal }) => {
    asked.push(url.href);
    const next = answers.shift();
    if (next === "silence")
      return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
  };
  line = new Line(100, 8000, (sentence) => said.push(sentence));
});

const answer = (status, headers = OWN, body = "") =>
  new Response([204, 304].includes(status) ? null : body, { status, headers });

// Asks once; gives (the answer, the milliseconds that passed before it was time to ask again).
async function ask(signal) {
  let done = false;
  const asking = line.ask("ganscope/live/t", signal).finally(() => (done = true));
  let ms = 0;
  for (; ; ms += 50) {
    for (let i = 0; i < 20; i++) await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    if (done || ms > 60_000) break;
    mock.timers.tick(50);
  }
  return [await asking, ms];
}

test("a frame is given with its bytes, and nothing is said", async () => {
  answers = [answer(200, FRAME, new Uint8Array([1, 2, 3])), answer(204)];
  const [first] = await ask();
  assert.deepEqual([first.status, Array.from(first.bytes)], [200, [1, 2, 3]]);
  assert.equal((await ask())[0].status, 204);
  assert.match(asked[0], /ganscope\/live\/t$/);
  assert.deepEqual(new Set(said), new Set([""]));
  assert.equal(line.gap, 100);
});

test("where requests are metered it asks half as often each time, says so, and recovers step by step", async () => {
  answers = [answer(429), answer(429), answer(429), ...Array.from({ length: 40 }, () => answer(204))];
  for (const gap of [500, 1000, 2000]) {
    const [nothing, waited] = await ask();
    assert.equal(nothing, null);
    assert.equal(line.gap, gap);
    assert.ok(waited >= gap);
  }
  assert.match(said.at(-1), /the network allows fewer requests \(status 429\)/);
  await ask();
  assert.equal(line.gap, 1800);
  assert.match(said.at(-1), /fewer requests/); // still slow, and still said
  for (let i = 0; i < 35; i++) await ask();
  assert.equal(line.gap, 100);
  assert.equal(said.at(-1), "");
});

test("a server's own wish to wait is followed, up to ten seconds", async () => {
  answers = [answer(429, { ...OWN, "retry-after": "4" }), answer(429, { ...OWN, "retry-after": "4000" })];
  assert.equal((await ask())[1], 4000);
  assert.equal((await ask())[1], 10_000);
});

test("a busy server is said after the second failure, and after one answer all is as before", async () => {
  answers = [answer(503), answer(503), answer(503), answer(204)];
  await ask();
  await ask();
  assert.deepEqual(said, []);
  await ask();
  assert.match(said.at(-1), /the server is busy \(status 503\)/);
  await ask();
  assert.deepEqual([line.gap, said.at(-1)], [100, ""]);
});

test("a lost connection is said after the second failure, silence at once", async () => {
  answers = [new TypeError("no"), new TypeError("no"), new TypeError("no"), answer(204), "silence"];
  await ask();
  await ask();
  assert.deepEqual(said, []);
  await ask();
  assert.match(said.at(-1), /^Connection lost/);
  await ask();
  assert.equal(said.at(-1), "");
  const [, waited] = await ask();
  assert.ok(waited >= 8000);
  assert.match(said.at(-1), /^Connection lost/);
});

test("GANscope's own 404 is an answer; a proxy's, or a page, is said with what helps", async () => {
  answers = [answer(404, OWN, "This page was left."), answer(404, {}), answer(404, {}), answer(404, {})];
  assert.deepEqual((await ask())[0], { status: 404, text: "This page was left." });
  for (let i = 0; i < 3; i++) await ask();
  assert.match(said.at(-1), /answers with status 404.*proxy must pass on/);
  answers = [answer(200, { "content-type": "text/html" }, "<p>")];
  await ask();
  assert.match(said.at(-1), /a web page instead of data/);
});

test("who breaks off hears of it", async () => {
  answers = ["silence"];
  const control = new AbortController();
  const asking = line.ask("x", control.signal);
  control.abort();
  await assert.rejects(asking);
  assert.deepEqual(said, []);
});
