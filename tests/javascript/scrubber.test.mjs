// What the button Best says is true whether or not there is a frame that was scored.

import assert from "node:assert/strict";
import { test } from "node:test";

import { bestTitle } from "../../static/ganscope/scrubber.js";

test("Best names the score and the step of the frame that it goes to", () => {
  assert.match(bestTitle({ step: 1234, name: "Wasserstein-1", value: "0.108" }), /frame that was scored: Wasserstein-1 0\.108 at step 1,234\./);
});

test("where no frame has scores of its own, it does not say that there are no scores", () => {
  assert.equal(bestTitle(null), "No recorded frame has been scored yet");
});
