// What the button Best says is true whether or not there is a frame that was scored; marks stand where findings began.

import assert from "node:assert/strict";
import { test } from "node:test";

import { bestTitle, findingMarks } from "../../static/ganscope/scrubber.js";

test("Best names the score and the step of the frame that it goes to", () => {
  assert.match(bestTitle({ step: 1234, name: "Wasserstein-1", value: "0.108" }), /frame that was scored: Wasserstein-1 0\.108 at step 1,234\./);
});

test("where no frame has scores of its own, it does not say that there are no scores", () => {
  assert.equal(bestTitle(null), "No recorded frame has been scored yet");
});

test("a finding is marked at the first recorded frame that shows it", () => {
  const marks = findingMarks([{ step: 1100, title: "Mode collapse" }], [0, 500, 1000, 1500]);
  assert.deepEqual(marks, [{ at: 1500, place: 0.75, title: "Mode collapse, from step 1,100" }]);
});

test("findings that share a frame share a mark, and one that no frame shows yet has none", () => {
  const found = [{ step: 3, title: "A" }, { step: 4, title: "B" }, { step: 9, title: "C" }];
  assert.deepEqual(findingMarks(found, [0, 5]), [{ at: 5, place: 0.5, title: "A, from step 3; B, from step 4" }]);
  assert.deepEqual(findingMarks(undefined, [0, 5]), []);
});
