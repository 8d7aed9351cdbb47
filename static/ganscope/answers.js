// What somebody who watches answers, on its way to the server; and the order in which samples are judged.

import { BASE } from "./addresses.js";

const ANSWER_MS = 10_000;
const TRIES_MS = 1000; // between two tries of what did not get through

// {status, text} of the server's answer; null where there was none of GANscope's.
export async function post(path, body) {
  const control = new AbortController();
  const late = setTimeout(() => control.abort(), ANSWER_MS);
  try {
    const answer = await fetch(new URL(path, BASE), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: control.signal,
    });
    if (answer.headers.get("cross-origin-resource-policy") !== "same-origin") return null; // a proxy's
    return { status: answer.status, text: await answer.text() };
  } catch {
    return null;
  } finally {
    clearTimeout(late);
  }
}

// 0 to n - 1 in a random order.
export function shuffled(n, random = Math.random) {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

// Judged samples, sent some at a time. What gets no answer is sent again, unchanged: the server counts no sample twice.
export class Outbox {
  // send(pairs): {status, text} or null. say(sentence): shows why answers do not count, or that they wait.
  constructor(send, say) {
    Object.assign(this, { send, say, waiting: [], going: null });
  }

  add(sample, real) {
    this.waiting.push([sample, real]);
  }

  // Sends what waits; resolves once all of it has been answered, or the outbox is closed.
  flush() {
    return (this.going ??= this.work().finally(() => (this.going = null)));
  }

  async work() {
    while (this.waiting.length && !this.closed) {
      let again = false;
      const pairs = this.waiting.slice();
      let answer = await this.send(pairs);
      for (; !answer && !this.closed; again = true) {
        this.say("Connection lost, trying again …");
        await new Promise((resolve) => setTimeout(resolve, TRIES_MS));
        if (!this.closed) answer = await this.send(pairs);
      }
      this.waiting.splice(0, pairs.length);
      // After a try without an answer, "already judged" is the answer that was lost.
      const counted = answer?.status === 200 || (again && answer?.status === 409);
      if (answer) this.say(counted ? "" : answer.text);
    }
  }
}
