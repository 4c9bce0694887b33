import { test } from "node:test";
import assert from "node:assert/strict";

import { due } from "../../apps/canvas/due.js";
import { answerOf, flash, Glimpse } from "../../apps/canvas/glimpse.js";

/** Frames of so many milliseconds, the first at 1000. */
const frames = (milliseconds) => {
  let now = 1000 - milliseconds;
  return async () => { now += milliseconds; return now; };
};

test("an image is there for as many frames as come nearest to its time", async () => {
  for (const [milliseconds, wanted] of [[1000 / 60, 0.1], [1000 / 144, 0.1], [1000 / 60, 0.05], [40, 0.1]]) {
    const shown = [];
    let onset = 0;
    const took = await flash({ wait: 0.7, seconds: wanted }, (what) => shown.push(what), frames(milliseconds), (at) => { onset = at; });
    assert.deepEqual(shown, ["cross", "image", "nothing"]);
    assert.ok(onset - 1000 >= 700 - 1000 / 120, String(onset));
    assert.ok(Math.abs(took - wanted) <= Math.max(milliseconds / 1000 / 2, 1 / 120) + 0.012, `${took} for ${wanted}`);
    const whole = (took * 1000) / milliseconds;
    assert.ok(Math.abs(whole - Math.round(whole)) < 1e-6, "whole frames");
  }
});

test("two keys each say one thing and the other", () => {
  assert.deepEqual(["1", "ArrowLeft", "2", "ArrowRight", "3", "Enter"].map(answerOf), [0, 0, 1, 1, null, null]);
});

test("a trial is due wherever the server says so", () => {
  const here = { held: true, page: "workspace", mode: "train", resting: false };
  assert.equal(due({ page: "workspace", step: "Categorise", glimpse: { number: 1 } }, here), "glimpse");
});

const place = () => ({ dataset: {}, children: [{ lastElementChild: {} }, { lastElementChild: {} }], focus() {}, removeAttribute() {}, decode: async () => {} });

/** @param {() => Promise<number>} frame */
const stood = (frame) => {
  const places = {};
  const sent = [];
  const said = [];
  const workspace = {
    view: { $: (name) => (places[name] ??= place()) },
    server: { url: (path) => path, serverTime: (at) => at / 1000 },
    confirmation: { send: (message) => sent.push(message) },
    show() {}, showWait: (state) => said.push(state), connection: { lost: (now) => said.push(now) },
  };
  return { glimpse: new Glimpse(workspace, frame), places, sent, said };
};
const STATE = { glimpse: { number: 3, items: 4, wait: 0.7, seconds: 0.1, choices: ["boat", "airplane"] } };

test("an answer before the image is there is told and counted, the one after it is sent once", async () => {
  const waiting = [];
  const { glimpse, places, sent } = stood(() => new Promise((resolve) => waiting.push(resolve)));
  const settle = () => new Promise((resolve) => { setTimeout(resolve); });
  const next = async (at) => { await settle(); waiting.shift()(at); await settle(); };
  glimpse.show(STATE);
  await glimpse.answer(0, { timeStamp: 500 });
  assert.equal(glimpse.early, 0, "nothing was asked for yet");
  glimpse.begin();
  await next(1000);
  await glimpse.answer(1, { timeStamp: 1200 });
  assert.match(places[".glimpse .glimpse-said"].textContent, /Too early/);
  await next(1700);
  assert.equal(places[".glimpse .glimpse-frame"].dataset.shows, "image");
  await glimpse.answer(1, { timeStamp: 1690 });
  assert.equal(sent.length, 0, "pressed before the frame that drew it");
  const answered = glimpse.answer(0, { timeStamp: 1750 });
  glimpse.answer(1, { timeStamp: 1760 });
  await next(1800);
  await answered;
  assert.deepEqual(sent, [
    { id: sent[0].id, type: "categorised", at: 1.75, number: 3, answer: 0, early: 2, seconds: 0.05, onset: 1.7, shown: 0.1 },
  ]);
});

test("a trial that is shown again is not begun anew, and one that is not prepared waits", () => {
  const { glimpse, said } = stood(frames(16));
  glimpse.show({ glimpse: { number: 1, items: 2, preparing: "train 1/2" } });
  assert.equal(said[0].preparing, "train 1/2");
  glimpse.show(STATE);
  glimpse.early = 5;
  glimpse.show(STATE);
  assert.equal(glimpse.early, 5);
});
