// Answers on their way to the server: each sample once, whatever the network does.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Outbox, post, shuffled } from "../../static/ganscope/answers.js";

const counts = { status: 200, text: "" };

async function settle() {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

test("an order has each number once, and another order each time", () => {
  const orders = Array.from({ length: 20 }, () => shuffled(30));
  for (const order of orders) assert.deepEqual([...order].sort((a, b) => a - b), [...Array(30).keys()]);
  assert.ok(new Set(orders.map(String)).size > 15);
  assert.deepEqual(shuffled(0), []);
});

test("what was judged goes out together, and what comes meanwhile after it", async () => {
  const sent = [];
  let arrive;
  const outbox = new Outbox((pairs) => (sent.push(pairs), new Promise((resolve) => (arrive = resolve))), () => {});
  outbox.add(3, true);
  outbox.add(5, false);
  const done = outbox.flush();
  outbox.add(7, true);
  outbox.flush();
  arrive(counts);
  await settle();
  arrive(counts);
  await done;
  assert.deepEqual(sent, [[[3, true], [5, false]], [[7, true]]]);
});

test("what got no answer is sent again unchanged, and that it was counted then is no refusal", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const sent = [];
  const said = [];
  const answers = [null, null, { status: 409, text: "already" }, { status: 410, text: "over" }];
  const outbox = new Outbox((pairs) => (sent.push(pairs), Promise.resolve(answers.shift())), (text) => said.push(text));
  outbox.add(3, true);
  const done = outbox.flush();
  for (let i = 0; i < 2; i++) {
    await settle();
    outbox.add(10 + i, true);
    mock.timers.tick(1000);
  }
  await settle();
  await done;
  mock.timers.reset();
  assert.deepEqual(sent.slice(0, 3), [[[3, true]], [[3, true]], [[3, true]]]);
  assert.deepEqual(said, ["Connection lost, trying again …", "Connection lost, trying again …", "", "over"]);
  assert.deepEqual(sent[3], [[10, true], [11, true]]);
});

test("a refusal is said, and what was closed is sent no more", async () => {
  const said = [];
  const outbox = new Outbox(() => Promise.resolve({ status: 410, text: "This round is not open." }), (text) => said.push(text));
  outbox.add(1, true);
  await outbox.flush();
  assert.deepEqual(said, ["This round is not open."]);
  outbox.closed = true;
  outbox.add(2, true);
  await outbox.flush();
  assert.equal(said.length, 1);
});

test("an answer of a proxy, or none, is none", async () => {
  const own = { "cross-origin-resource-policy": "same-origin" };
  globalThis.fetch = () => Promise.resolve(new Response("Your answer counts.", { status: 200, headers: own }));
  assert.deepEqual(await post("ganscope/x", {}), { status: 200, text: "Your answer counts." });
  globalThis.fetch = () => Promise.resolve(new Response("<p>sign in", { status: 200 }));
  assert.equal(await post("ganscope/x", {}), null);
  globalThis.fetch = () => Promise.reject(new Error("no network"));
  assert.equal(await post("ganscope/x", {}), null);
});
