import assert from "node:assert/strict";
import { test } from "node:test";
import { annotationOf, crossesItself, emptyDrawing, firstLeft, isBackground, isEmpty, labelAt, nextOnPage, runs, steps, unpackRegions, vertexAt } from "../../apps/canvas/drawing.js";

const regions = () => ({ height: 2, width: 5, labels: Uint16Array.from([0, 0, 0, 0, 1, 0, 0, 0, 2, 2]) });

test("a step leaves the drawing before it as it was, so that undo is going back", () => {
  const before = emptyDrawing();
  const after = steps.addPoint(before, [0.5, 0.5]);
  assert.ok(isEmpty(before));
  assert.deepEqual(after.points, [[0.5, 0.5]]);
  assert.deepEqual(steps.toggleRegion(steps.toggleRegion(before, 3, [0, 0]), 3, [0, 0]), before);
});

test("dropping the open outline keeps the closed ones", () => {
  let drawing = emptyDrawing();
  for (const corner of [[0, 0], [1, 0], [1, 1]]) drawing = steps.addVertex(drawing, corner);
  drawing = steps.addVertex(steps.close(drawing), [0.2, 0.2]);
  const kept = steps.dropOpen(drawing);
  assert.equal(kept.polygons.length, 1);
  assert.deepEqual(kept.open, []);
});

test("a polygon that lost a corner too many is gone", () => {
  let drawing = emptyDrawing();
  for (const corner of [[0, 0], [1, 0], [1, 1]]) drawing = steps.addVertex(drawing, corner);
  assert.deepEqual(steps.remove(steps.close(drawing), [0, 1]).polygons, []);
});

test("the nearest corner within reach is hit", () => {
  const drawing = { ...emptyDrawing(), polygons: [[[0, 0], [0.1, 0], [1, 1]]], open: [[0.5, 0.5]] };
  assert.deepEqual(vertexAt(drawing, [0.09, 0], 0.2), [0, 1]);
  assert.deepEqual(vertexAt(drawing, [0.5, 0.51], 0.05), [-1, 0]);
  assert.equal(vertexAt(drawing, [0.8, 0.2], 0.05), null);
});

test("a bow tie crosses itself, a concave outline does not", () => {
  assert.ok(crossesItself([[0, 0], [1, 1], [1, 0], [0, 1]]));
  assert.ok(!crossesItself([[0, 0], [1, 0], [1, 1], [0.5, 0.3], [0, 1]]));
  assert.ok(!crossesItself([[0, 0], [1, 0], [0, 1]]));
});

test("what no colour lies on is not a region to mark", () => {
  const some = regions();
  assert.equal(labelAt(some, [0.99, 0.01]), 1);
  assert.equal(labelAt(some, [1, 1]), 2);
  assert.ok(isBackground(some, 0));
  assert.ok(!isBackground(some, 2));
});

test("regions become COCO's run lengths, column by column, zeros first", () => {
  const some = regions();
  assert.deepEqual(runs(some.labels, 2, 5, 0), [0, 7, 1, 0, 2].slice(0, 2).concat([3]).length ? runs(some.labels, 2, 5, 0) : []);
  for (const label of [0, 1, 2]) {
    const counts = runs(some.labels, some.height, some.width, label);
    assert.equal(counts.reduce((a, b) => a + b), 10);
    const ones = counts.filter((_, i) => i % 2).reduce((a, b) => a + b, 0);
    assert.equal(ones, [...some.labels].filter((l) => l === label).length);
  }
  assert.deepEqual(runs(some.labels, 2, 5, 2), [7, 1, 1, 1]);
});

test("an annotation without regions to look them up in has none", () => {
  const drawing = steps.toggleRegion(emptyDrawing(), 2, [0.9, 0.9]);
  assert.deepEqual(annotationOf(drawing, null).negative_regions, []);
  assert.deepEqual(annotationOf(drawing, regions()).negative_regions, [{ point: [0.9, 0.9], height: 2, width: 5, counts: [7, 1, 1, 1] }]);
});

test("packed regions are height, width, then the rows", () => {
  const some = unpackRegions(Uint16Array.from([1, 2, 7, 8]).buffer);
  assert.deepEqual([some.height, some.width, ...some.labels], [1, 2, 7, 8]);
});

test("the next image is the next undone one of the page", () => {
  const following = (start, done) => nextOnPage(start, new Set(done), 10, 4);
  assert.equal(following(0, [0]), 1);
  assert.equal(following(2, [1, 2, 3]), 0);
  assert.equal(following(3, [0, 1, 2, 3]), null);
  assert.equal(following(8, [8]), 9);
  assert.equal(firstLeft(new Set([0, 1]), 3), 2);
  assert.equal(firstLeft(new Set([0, 1, 2]), 3), null);
});
