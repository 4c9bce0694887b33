import assert from "node:assert/strict";
import { test } from "node:test";
import { Lessons } from "../../apps/canvas/lessons.js";
import { panelOf, rows } from "../../apps/canvas/sandbox.js";
import { load } from "../../apps/canvas/tools.js";
import { waiting } from "../../apps/canvas/view.js";

test("the time of the first model is told once one knows how fast it goes", () => {
  // it said "12 of 150" and then "150 of 150"
  const first = waiting({ preparing: "train 12/150" }, { what: "train", done: 12, at: 0 }, 0);
  assert.equal(first.text, "Training the first model: 12 of 150");
  const later = waiting({ preparing: "train 24/150" }, { what: "train", done: 12, at: 0 }, 24000);
  assert.equal(later.text, "Training the first model: 24 of 150, about 4:12 left");
  assert.equal(later.share, 24 / 150);
  const features = waiting({ preparing: "features 320/600" }, { what: "features", done: 32, at: 0 }, 9000);
  assert.equal(features.text, "Looking at every image once: 320 of 600, about 0:09 left");
});

test("who waits is told for what, behind whom and how long", () => {
  const job = { step: "FineTune", state: "queued", ahead: 2, done: 0, total: 0, seconds_left: null };
  assert.match(waiting({ job }, undefined, 0).text, /2 before you/);
  assert.equal(waiting({ job: { ...job, state: "running", done: 5, total: 20, seconds_left: 30 } }, undefined, 0).text, "5 of 20, about 0:30 left");
  assert.match(waiting({ job: { ...job, state: "failed" } }, undefined, 0).title, /went wrong/);
});

/** Lessons whose workspace is told what it shows. */
async function lessons() {
  await load(["click", "polygon"]);
  const said = [];
  const words = { practice: "mark", beside: "", answers: [], regions: false };
  const workspace = {
    root: { dataset: { kind: "practice" } }, interface: "polygon", words, attends: () => false,
    view: { say: (text) => said.push(text), legend() {}, prompt() {} },
    stage: { wanted: "", async present() {} }, round: {}, layers: {}, server: {},
    show(_view, kind) { this.root.dataset.kind = kind; },
  };
  return { said, teach: new Lessons(workspace) };
}
const practice = (more) => ({ practice: { interface: "click", attempt: 1, done: 0, items: 3, label: "boat", count: 1, wanted: [], ...more } });

test("the word of the last outline does not stand beside the first click", async () => {
  const { said, teach } = await lessons();
  await teach.showPractice(practice({}));
  assert.deepEqual(said, [""]);
  // within an interface what was said of the last image stays
  await teach.showPractice(practice({ attempt: 2 }));
  assert.deepEqual(said, [""]);
});

test("a failure says why, and shows what is meant", async () => {
  const { said, teach } = await lessons();
  const before = { interface: "click", done: 0 };
  teach.feedback(before, practice({ advice: "Every left click must be on the boat." }));
  assert.equal(said.at(-1), "Not yet. Every left click must be on the boat. The dashed line shows what is meant. Try again.");
  teach.feedback(before, practice({ done: 1 }));
  assert.equal(said.at(-1), "Correct.");
});

test("the sandbox's results are rows, and its panel has numbers", () => {
  const shown = rows([
    { round: 0, images: 0, usual: 0.984, unusual: 0.61, seconds: null },
    { round: 1, images: 16, usual: 0.95, unusual: null, seconds: 0.84 },
  ]);
  assert.deepEqual(shown, [["before", "0", "98%", "61%", ""], ["1", "16", "95%", "–", "0.8 s"]]);
  assert.deepEqual(panelOf([["strategy", "entropy"], ["candidates", "16"]]), { strategy: "entropy", candidates: 16 });
});
