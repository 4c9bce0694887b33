import assert from "node:assert/strict";
import { test } from "node:test";
import { Confirmation, refusal } from "../../apps/canvas/confirmation.js";
import { Connection, standing } from "../../apps/canvas/connection.js";
import { emptyDrawing } from "../../apps/canvas/drawing.js";
import { due, secondsLeft } from "../../apps/canvas/due.js";
import { History } from "../../apps/canvas/history.js";
import { tool as click } from "../../apps/canvas/interfaces/click.js";
import { tool as polygon } from "../../apps/canvas/interfaces/polygon.js";

// -- the way of a drawing

test("undo is noted and leaves what was done", () => {
  const way = new History();
  way.change(0.5, "positive", { ...emptyDrawing(), points: [[0.1, 0.2]] }, [0.12345, 0.2]);
  assert.ok(way.step(0.9, -1));
  assert.ok(!way.step(1, -1));
  assert.deepEqual(way.drawing, emptyDrawing());
  assert.deepEqual(way.actions, [{ t: 0.5, kind: "positive", x: 0.1235, y: 0.2 }, { t: 0.9, kind: "undo" }]);
});

test("what was undone is gone once something else is done", () => {
  const way = new History();
  way.change(1, "positive", { ...emptyDrawing(), points: [[0, 0]] });
  way.step(2, -1);
  way.change(3, "positive", { ...emptyDrawing(), points: [[1, 1]] });
  assert.ok(!way.canRedo);
  assert.deepEqual(way.drawing.points, [[1, 1]]);
});

// -- what a press means

const never = { at: -1e9, point: [9, 9] };
const regions = { height: 4, width: 4, labels: Uint16Array.from([1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]) };
const place = (more) => ({ drawing: emptyDrawing(), point: [0.1, 0.1], reach: 0.02, ratio: 1, at: 0, last: never, regions, ...more });

test("a right click beside the colours marks nothing and says why", () => {
  const { change, tell } = click.other(place({ point: [0.9, 0.9] }));
  assert.equal(change, undefined);
  assert.match(tell, /no attention here/);
});

test("a region that holds a point where one said to look is marked, and one is told", () => {
  const drawing = { ...emptyDrawing(), points: [[0.2, 0.2]] };
  const { change, tell } = click.other(place({ drawing }));
  assert.equal(change.kind, "negative");
  assert.match(tell, /holds a point/);
  const again = click.other(place({ drawing: change.drawing }));
  assert.equal(again.change.kind, "delete");
  assert.deepEqual(again.change.drawing.regions, []);
});

test("while regions load a right click says so", () => {
  assert.match(click.other(place({ regions: null })).tell, /still loading/);
});

test("a double click closes an outline, and so does its first corner", () => {
  const drawing = { ...emptyDrawing(), open: [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]] };
  const trace = (point, last, at) => polygon.press(place({ drawing, point, last, at }));
  assert.equal(trace([0.5, 0.5], { at: 0, point: [0.5, 0.5] }, 200).change.kind, "close");
  assert.deepEqual(trace([0.5, 0.5], { at: 0, point: [0.5, 0.5] }, 900).hold?.lift([0.5, 0.6], true), { kind: "move", drawing: { ...drawing, open: [[0.1, 0.1], [0.5, 0.1], [0.5, 0.6]] }, point: [0.5, 0.6] });
  assert.equal(trace([0.12, 0.1], never, 0).change.kind, "close");
  assert.equal(trace([0.3, 0.6], never, 0).change.kind, "vertex");
});

test("a bow tie is closed with a hint; two corners close nothing", () => {
  const bow = { ...emptyDrawing(), open: [[0, 0], [1, 1], [1, 0], [0, 1]] };
  assert.match(polygon.close(bow).tell, /crosses itself/);
  assert.equal(polygon.close({ ...emptyDrawing(), open: [[0, 0], [1, 1]] }), undefined);
});

// -- what is due

const here = (more = {}) => ({ held: true, page: "workspace", mode: "train", resting: false, ...more });
const state = (more = {}) => ({ page: "workspace", step: "Annotate", paused: false, ...more });

test("what is due follows from the state", () => {
  assert.equal(due(state(), here()), "batch");
  assert.equal(due(state(), here({ held: false })), "elsewhere");
  assert.equal(due(state({ paused: true }), here()), "paused");
  assert.equal(due(state({ page: "break/1" }), here()), "page");
  assert.equal(due(state({ page: "break/1" }), here({ mode: "test" })), "page");
  assert.equal(due(state(), here({ mode: "test" })), "stay");
  assert.equal(due(state(), here({ resting: true })), "stay");
  assert.equal(due(state({ step: "Check", check: {} }), here()), "check");
  assert.equal(due(state({ step: "Practice", practice: {} }), here()), "practice");
  assert.equal(due(state({ step: "FineTune", job: null }), here()), "batch");
  assert.equal(due(state({ step: "FineTune", job: { state: "running" } }), here()), "wait");
  assert.equal(due(state({ step: "Select", job: null }), here()), "wait");
});

test("what is said and not yet heard of costs time: the clock does not jump back offline", () => {
  const task = { position: 1, clock: "annotation", seconds_left: 100, over: false };
  const passed = { messages: [], elapsed: 4000, since: 60000, still: false };
  assert.equal(secondsLeft({ task }, passed), 96);
  // confirmed while nobody answers: the open image's seconds are in the outbox now
  const messages = [{ type: "annotated", position: 1, seconds: 4 }, { type: "annotated", position: 2, seconds: 9 }];
  assert.equal(secondsLeft({ task }, { ...passed, messages, elapsed: 0 }), 96);
  assert.equal(secondsLeft({ task: null }, passed), null);
  assert.equal(secondsLeft({ task: { ...task, over: true } }, passed), 0);
});

test("the paper's clock runs all the time, but for rests and pauses", () => {
  const task = { position: 1, clock: "total", seconds_left: 100, over: false };
  const passed = { messages: [], elapsed: 4000, since: 30000, still: false };
  assert.equal(secondsLeft({ task }, passed), 70);
  assert.equal(secondsLeft({ task }, { ...passed, still: true }), 100);
  assert.equal(secondsLeft({ task, paused: true }, passed), 100);
});

// -- confirming

const drawn = (more = {}) => ({ kind: "batch", elapsed: 900, drawing: emptyDrawing(), nothing: false, ...more });

test("what cannot be confirmed, and why", () => {
  assert.equal(refusal(drawn()), null);
  assert.equal(refusal(drawn({ elapsed: 150 })), "");
  assert.equal(refusal(drawn({ kind: "check" })), "");
  const open = { ...emptyDrawing(), open: [[0, 0], [1, 1]] };
  const unfinished = polygon.unfinished(open);
  assert.match(refusal(drawn({ drawing: open, unfinished })), /three corners/);
  assert.equal(refusal(drawn({ drawing: open, unfinished, nothing: true })), null);
  assert.match(refusal(drawn({ kind: "practice" })), /Mark the object/);
});

const words = () => {
  const said = [];
  return { said, say: (text) => said.push(text), fact: (_name, text) => said.push(text), root: { isConnected: true } };
};

/** A confirmation whose server answers what it is told to. */
function confirmation(answers, view = words()) {
  const server = { outbox: { messages: () => [] }, flush: async () => { const next = answers.shift(); if (next instanceof Error) throw next; return next; } };
  const connection = new Connection(server, { problem: "" }, view, { heard() {}, waiting: () => false, stopped: () => false });
  return new Confirmation({ view, stage: {}, server, connection, stopped: false });
}

test("offline, what is kept here lets one go on at once", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const view = words();
  assert.equal(await confirmation([new Error("offline")], view).deliver(false, Promise.resolve(true)), null);
  assert.deepEqual(view.said, ["No connection"]);
});

test("a browser that keeps nothing says so and waits for the server", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const view = words();
  const delivered = confirmation([new Error("offline"), { state: 1 }], view).deliver(false, Promise.resolve(false));
  for (let i = 0; i < 20; i += 1) { await Promise.resolve(); t.mock.timers.tick(500); }
  assert.deepEqual(await delivered, { state: 1 });
  assert.match(view.said.join(" "), /cannot keep what you do/);
});

test("the connection in words", () => {
  assert.equal(standing(false, 0, ""), "");
  assert.equal(standing(true, 2, ""), "No connection: 2 saved here");
  assert.equal(standing(true, 0, "This browser keeps nothing."), "No connection This browser keeps nothing.");
  assert.equal(standing(false, 0, "This browser keeps nothing."), "This browser keeps nothing.");
});
