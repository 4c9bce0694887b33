import { test } from "node:test";
import assert from "node:assert/strict";

import { percent, speak, t } from "../../apps/canvas/words.js";
import { waiting } from "../../apps/canvas/view.js";

test("a sentence and the numbers in it are the language's, and English where it has none", () => {
  speak("de", { "{count} before you. You can rest your eyes meanwhile.": "{count} vor Ihnen." });
  const { text, title } = waiting({ job: { state: "queued", step: "Select", ahead: 1234 } }, undefined, 0);
  assert.equal(text, "1.234 vor Ihnen.");
  assert.equal(title, "Choosing the next images");
  assert.equal(percent(0.5), "50\u00a0%");
  speak("en", {});
  assert.equal(percent(null), "–");
});

test("a gap that nobody fills stays to be filled", () => assert.equal(t("{what} the {name}", { what: "click" }), "click the {name}"));
