// The way frames come by: asks for them, as often as it may. It slows down where it is refused (a tunnel that meters,
// a busy server), recovers step by step, and says what is wrong while the picture cannot be fresh.

import { BASE } from "./addresses.js";
import { SLEEP } from "./components.js";

const SLOWEST_MS = 10_000;
const WELL_MS = 300; // between two requests: then no more is said of it
const RECOVERY = 0.9; // of the time between two requests, with each that is answered after too many were asked
const QUIET_FAILURES = 2; // that are not said yet

export class Line {
  // least: milliseconds between two requests. limit: those that an answer may take. say: shows a sentence, or "".
  constructor(least, limit, say) {
    Object.assign(this, { least, limit, say, gap: least, failures: 0 });
  }

  // {status: 200 and bytes, 204, 404 and text; hall: the revision that a frame's answer names}; null where there was no answer of GANscope's, once it is time to ask again.
  async ask(path, signal) {
    // By hand: older iPads know neither AbortSignal.timeout nor AbortSignal.any.
    const control = new AbortController();
    const stop = () => control.abort();
    const late = setTimeout(stop, this.limit);
    signal?.addEventListener("abort", stop);
    let answer, bytes;
    try {
      answer = await fetch(new URL(path, BASE), { cache: "no-store", signal: control.signal });
      bytes = new Uint8Array(await answer.arrayBuffer());
    } catch (error) {
      if (signal?.aborted) throw error;
      return this.refused("Connection lost, trying again …", 1000, control.signal.aborted); // silence has lasted long
    } finally {
      clearTimeout(late);
      signal?.removeEventListener("abort", stop);
    }
    const { status } = answer;
    const type = answer.headers.get("content-type") ?? "";
    if (status === 204 || (status === 200 && type.startsWith("application/octet-stream"))) {
      this.failures = 0;
      this.blocked = false;
      this.gap = this.metered ? Math.max(this.least, this.gap * RECOVERY) : this.least;
      this.say(this.gap < WELL_MS ? "" : this.slow);
      return { status, bytes, hall: Number(answer.headers.get("ganscope-hall")) };
    }
    const own = answer.headers.get("cross-origin-resource-policy") === "same-origin"; // not a proxy's
    if (status === 404 && own) return { status, text: new TextDecoder().decode(bytes) };
    if (status === 429 || status >= 500) {
      this.gap = Math.min(SLOWEST_MS, Math.max(2 * this.gap, 500));
      const wanted = Math.min(SLOWEST_MS, 1000 * (Number(answer.headers.get("retry-after")) || 0));
      this.metered = status === 429;
      const why = this.metered ? "the network allows fewer requests" : "the server is busy";
      this.slow = `Slower updates: ${why} (status ${status}).`;
      return this.refused(this.slow, Math.max(this.gap, wanted), this.metered);
    }
    this.blocked = true;
    const what = status === 200 ? "a web page instead of data" : `status ${status}`;
    const help = "Reload the page; the server's proxy must pass on the addresses below /ganscope/.";
    return this.refused(`No live updates: the server answers with ${what}. ${help}`, 2000);
  }

  async refused(sentence, ms, once = false) {
    this.failures += 1;
    if (once || this.failures > QUIET_FAILURES) this.say(sentence);
    await SLEEP(ms);
    return null;
  }
}
