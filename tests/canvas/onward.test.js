import { test } from "node:test";
import assert from "node:assert/strict";

import { Onward, SECONDS } from "../../apps/canvas/onward.js";

test("where to go on is gone to once, after a while, and only where there is something", () => {
  const gone = [];
  const waits = [];
  const onward = new Onward((url) => gone.push(url), (act, ms) => { waits.push(ms); act(); });
  onward.to(null);
  onward.to("https://app.example/done?cc=C1");
  onward.to("https://app.example/done?cc=C1");
  assert.deepEqual(gone, ["https://app.example/done?cc=C1"]);
  assert.deepEqual(waits, [SECONDS * 1000]);
});
