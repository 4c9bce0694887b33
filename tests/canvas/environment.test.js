import { test } from "node:test";
import assert from "node:assert/strict";

import { refreshRate, tooSmall } from "../../apps/canvas/environment.js";

test("a late frame does not change the refresh rate", () => {
  const times = Array.from({ length: 41 }, (_, i) => i * 1000 / 120 + (i > 20 ? 300 : 0));
  assert.equal(refreshRate(times), 120);
});

test("of a page that is out of sight there is no rate", () => assert.equal(refreshRate([0, 1000]), null));

test("a window that is too small in one direction is too small, and the sentence names both sizes", () => {
  assert.equal(tooSmall([1024, 640], { innerWidth: 1024, innerHeight: 640 }), null);
  assert.match(/** @type {string} */ (tooSmall([1024, 640], { innerWidth: 2000, innerHeight: 500 })), /2000 × 500.*1024 × 640/);
});
