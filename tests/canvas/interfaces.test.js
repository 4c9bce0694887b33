// Every interface's tool goes through the same checks.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { annotationOf, drawingOf, emptyDrawing, isEmpty } from "../../apps/canvas/drawing.js";
import { regrown } from "../../apps/canvas/growing.js";
import { Preview } from "../../apps/canvas/preview.js";
import { load, toolOf } from "../../apps/canvas/tools.js";

const folder = new URL("../../apps/canvas/interfaces/", import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith(".js")).map((name) => name.slice(0, -3));
await load(names);

const regions = { height: 2, width: 2, labels: Uint16Array.from([0, 1, 1, 1]), sizes: [1, 2] };
const frozen = (value) => {
  if (value && typeof value === "object" && !ArrayBuffer.isView(value)) { Object.values(value).forEach(frozen); Object.freeze(value); }
  return value;
};
const place = (drawing, point, more = {}) => ({
  drawing: frozen(drawing), point, reach: 0.02, ratio: 1.5, at: 1000, last: { at: -1e9, point: [9, 9] }, regions, size: 0.05, ...more,
});
const SPOTS = [[0.5, 0.2], [0.2, 0.5], [0.5, 0.8], [0.8, 0.5]];

/** What a press, dragged on to another point or let go at once, makes of a drawing. */
function pressed(tool, drawing, from, to = null) {
  const { change, hold } = tool.press(place(drawing, from));
  if (change) return change;
  if (to) frozen(hold.move(to));
  return hold.lift(to || from, Boolean(to));
}

/** Four presses, dragged where there is something to drag, and what is open closed. */
function drawn(name, drag) {
  const tool = toolOf(name);
  let drawing = emptyDrawing();
  SPOTS.forEach((spot, i) => {
    const change = pressed(tool, drawing, spot, drag ? SPOTS[(i + 1) % 4] : null);
    if (change) {
      assert.ok(change.kind && (change.kind === "answer" || change.point.length === 2));
      drawing = change.drawing;
    }
  });
  drawing = tool.accept?.(drawing).drawing || drawing;
  return tool.close?.(drawing)?.drawing || drawing;
}

for (const name of names) {
  test(`${name}: presses draw, and what is given stays as it was`, () => {
    for (const drag of [false, true]) {
      const drawing = drawn(name, drag);
      assert.ok(!isEmpty(drawing));
      assert.equal(drawing.open.length, 0);
      assert.equal(toolOf(name).unfinished?.(drawing, regions) || "", "");
    }
  });

  test(`${name}: what is sent is what is shown again`, () => {
    const drawing = drawn(name, true);
    const sent = JSON.parse(JSON.stringify(annotationOf(drawing, regions)));
    assert.deepEqual(drawingOf(sent, regions), JSON.parse(JSON.stringify(drawing)));
    const numbers = JSON.stringify(sent).match(/-?\d+(\.\d+)?/g).map(Number);
    assert.ok(numbers.every((n) => n >= 0 && n <= 4));
  });

  test(`${name}: the other button harms nothing on an empty image`, () => {
    const meant = toolOf(name).other?.(place(emptyDrawing(), [0.1, 0.1])) || {};
    const change = meant.change || meant.hold?.lift([0.1, 0.1], false);
    if (change) assert.ok(["negative", "erase", "answer", "shrink"].includes(change.kind));
  });
}

test("four clicks or one drag make a box, and a right click takes the smallest away", () => {
  const box = toolOf("box");
  const clicked = drawn("box", false).boxes;
  assert.deepEqual(clicked.map(({ left, top, right, bottom }) => [left, top, right, bottom]), [[0.2, 0.2, 0.8, 0.8]]);
  assert.equal(clicked[0].points.length, 4);
  let drawing = pressed(box, emptyDrawing(), [0.1, 0.9], [0.9, 0.1]).drawing;
  drawing = pressed(box, drawing, [0.4, 0.4], [0.6, 0.6]).drawing;
  assert.equal(drawing.boxes.length, 2);
  const { change } = box.other(place(drawing, [0.5, 0.5]));
  assert.equal(change.kind, "delete");
  assert.deepEqual(change.drawing.boxes.map((b) => b.left), [0.1]);
  const open = pressed(box, emptyDrawing(), [0.3, 0.3]).drawing;
  assert.match(box.unfinished(open), /4 clicks/);
});

test("the brush is round on the screen, whatever the photograph's shape, and the eraser comes after it", () => {
  const paint = toolOf("paint");
  const first = pressed(paint, emptyDrawing(), [0.2, 0.2], [0.6, 0.2]).drawing;
  const [stroke] = first.strokes;
  assert.deepEqual([stroke.across, stroke.down, stroke.erase], [0.05, 0.075, false]);
  const erased = paint.other(place(first, [0.4, 0.2])).hold.lift([0.4, 0.2], false);
  assert.equal(erased.kind, "erase");
  assert.deepEqual(erased.drawing.strokes.map((s) => s.erase), [false, true]);
});

test("clicks make of a proposal what study/interfaces/growing.py does", () => {
  const table = JSON.parse(readFileSync(new URL("../study/data/regrown.json", import.meta.url), "utf8"));
  for (const { height, width, proposed, colours, grow, shrink, grown } of table) {
    const labels = Uint16Array.from(proposed.join(""), Number);
    const four = colours && colours.flatMap((_, i) => (i % 3 === 2 ? [...colours.slice(i - 2, i + 1), 255] : []));
    const found = regrown({ height, width, labels }, { ...emptyDrawing(), grow, shrink }, four);
    assert.equal([...found.labels].join(""), grown.join(""));
    assert.deepEqual([...labels].join(""), proposed.join(""));
  }
});

test("what the network does not see is in no region", () => {
  const labels = Uint16Array.from([1, 0, 0, 65535]);
  const found = regrown({ height: 2, width: 2, labels }, { ...emptyDrawing(), grow: [[0.9, 0.9], [0.9, 0.1]], shrink: [] }, null);
  assert.equal(found.labels[3], 65535);
  assert.equal(found.labels[1], 1);
});

test("a preview asks about the region as the clicks have made it, as if it were accepted", async () => {
  const drawing = { ...emptyDrawing(), grow: [[0.1, 0.1]] };
  const asked = [];
  const item = { interface: "correct", index: 3 };
  const preview = new Preview({
    stage: { item, canvas: { drawing, regions } }, round: { batch: { position: 1, cycle: 2 } },
    server: { picture: async (path, body) => { asked.push(body); throw new Error("away"); } },
  });
  await preview.ask(item, 0);
  assert.equal(asked[0].annotation.proposals[0].answer, "yes");
  assert.deepEqual(asked[0].annotation.proposals[0].grow, [[0.1, 0.1]]);
});
