import assert from "node:assert/strict";
import { test } from "node:test";
import { ItemClock, patience } from "../../apps/canvas/clock.js";
import { chosen } from "../../apps/canvas/gallery.js";
import { meaning } from "../../apps/canvas/keys.js";
import { WHOLE, area, panned, zoomed } from "../../apps/canvas/viewport.js";

test("the clock stops and goes on", () => {
  const clock = new ItemClock(100);
  clock.start(1000);
  assert.equal(clock.elapsed(1500), 600);
  clock.stop(1600);
  assert.equal(clock.elapsed(9000), 700);
  clock.start(10000);
  assert.equal(clock.elapsed(10250), 950);
});

test("a minute of failing is a handful of tries, not a storm", () => {
  let waited = 0;
  let tries = 0;
  while (waited < 60000) { waited += patience(tries, 0); tries += 1; }
  assert.ok(tries < 12, `${tries} tries`);
  assert.notEqual(patience(3, 0), patience(3, 0.9));
});

const place = (more = {}) => ({
  onButton: false, onCanvas: true, ready: true, cursor: false, open: 0, closes: false,
  hotkeys: { confirm: "Enter", nothing: "n", cancel: "Escape", attention: "a", next: "PageDown", help: "?" }, ...more,
});
const key = (name, more = {}) => ({ key: name, ...more });

test("Enter closes an outline that can be closed, else confirms", () => {
  assert.deepEqual(meaning(key("Enter"), place({ open: 3, closes: true })), { do: "close" });
  assert.deepEqual(meaning(key("Enter"), place({ open: 2 })), { do: "confirm" });
  assert.equal(meaning(key("Enter"), place({ onButton: true })), null);
  assert.equal(meaning(key("Enter", { repeat: true }), place()), null);
});

test("Escape drops only the open outline", () => {
  assert.deepEqual(meaning(key("Escape"), place({ open: 1 })), { do: "cancel-open" });
  assert.deepEqual(meaning(key("Escape"), place()), { do: "cancel" });
});

test("everything can be done with keys", () => {
  assert.deepEqual(meaning(key("ArrowLeft"), place()), { do: "steer", by: [-0.01, 0] });
  assert.deepEqual(meaning(key("ArrowDown", { shiftKey: true }), place()), { do: "steer", by: [0, 0.05] });
  assert.deepEqual(meaning(key(" "), place({ cursor: true })), { do: "press" });
  assert.deepEqual(meaning(key("x"), place({ cursor: true })), { do: "press-other" });
  assert.deepEqual(meaning(key("+"), place()), { do: "zoom-in" });
  assert.deepEqual(meaning(key("z", { ctrlKey: true }), place()), { do: "undo" });
  assert.deepEqual(meaning(key("Z", { ctrlKey: true, shiftKey: true }), place()), { do: "redo" });
  assert.equal(meaning(key("c", { ctrlKey: true }), place()), null);
});

test("what is under the pointer stays there when one zooms", () => {
  const at = [0.2, 0.7];
  const where = (view) => {
    const { x, y, w, h } = area(400, 1, view);
    return [x + at[0] * w, y + at[1] * h];
  };
  const view = zoomed(zoomed({ zoom: 2, cx: 0.4, cy: 0.6 }, 1.5, at), 1.2, at);
  const before = where({ zoom: 2, cx: 0.4, cy: 0.6 });
  where(view).forEach((v, i) => assert.ok(Math.abs(v - before[i]) < 1e-9));
});

test("the image never leaves the canvas, and zooming out ends with all of it", () => {
  let view = { ...WHOLE };
  for (let i = 0; i < 30; i += 1) view = panned(zoomed(view, 1.3, [0.9, 0.1]), 0.3, -0.3);
  const { x, y, w, h } = area(400, 1, view);
  assert.ok(x <= 1e-9 && y <= 1e-9 && x + w >= 400 - 1e-9 && y + h >= 400 - 1e-9);
  for (let i = 0; i < 30; i += 1) view = zoomed(view, 0.7, [0.1, 0.1]);
  assert.deepEqual(view, WHOLE);
});

test("a wide image is as wide as the canvas and in its middle", () => {
  assert.deepEqual(area(400, 2, WHOLE), { x: 0, y: 100, w: 400, h: 200 });
});

test("test mode shows any image, class by class", () => {
  const labels = Array.from({ length: 30 }, (_, i) => (i % 2 ? "boat" : "airplane"));
  assert.deepEqual(chosen(labels, "boat", 1), { images: [25, 27, 29], pages: 2 });
  assert.equal(chosen(labels, "", 2).images.length, 6);
});
