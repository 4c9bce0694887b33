import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { Drafts } from "../../apps/canvas/drafts.js";
import { Layers } from "../../apps/canvas/layers.js";
import { Outbox } from "../../apps/canvas/outbox.js";
import { Server } from "../../apps/canvas/server.js";
import { Store, nameOf } from "../../apps/canvas/store.js";

// a store whose disk can be full
class Memory extends Store {
  constructor() { super(); this.writes = []; this.full = false; }

  async write(durability) {
    if (this.full) throw new DOMException("full", "QuotaExceededError");
    this.writes.push(durability);
  }
}

const said = (id) => ({ id, type: "annotated" });

test("what is confirmed is on the disk before anything else, and in its order", async () => {
  const store = new Memory();
  const outbox = new Outbox(store);
  for (const id of ["a", "b", "c"]) await outbox.put(said(id), 5);
  assert.deepEqual(store.writes, ["strict", "strict", "strict"]);
  assert.deepEqual(outbox.messages().map((m) => m.id), ["a", "b", "c"]);
  await outbox.drop({ b: null });
  assert.deepEqual(outbox.messages().map((m) => m.id), ["a", "c"]);
});

test("a full disk is told, and what was said is still there to be sent", async () => {
  const store = new Memory();
  store.full = true;
  const outbox = new Outbox(store);
  await assert.rejects(outbox.put(said("a")), /full/);
  assert.equal(outbox.messages().length, 1);
});

test("blocked storage is a sentence, not a crash", async () => {
  const store = await new Store().open("blocked");
  assert.match(store.problem, /keeps nothing/);
  await assert.rejects(store.put("a", 1));
  assert.equal(store.get("a"), 1);
});

test("a draft of a confirmed image counts only when it was begun after that", async () => {
  const drafts = new Drafts(new Memory());
  const draft = { again: false, elapsed: 5, history: [1, 2], at: 1, actions: [] };
  await drafts.save("1/1/0", draft);
  assert.deepEqual(drafts.read("1/1/0", false), draft);
  assert.equal(drafts.read("1/1/0", true), null);
  assert.deepEqual(drafts.unconfirmed("1/1"), []);
  await drafts.save("1/1/3", { ...draft, again: true });
  await drafts.save("1/1/4", { ...draft, again: true, at: 0 });
  assert.deepEqual(drafts.unconfirmed("1/1"), [3]);
});

test("the way back is kept, as far as it is worth it", async () => {
  const drafts = new Drafts(new Memory());
  const history = Array.from({ length: 100 }, (_, i) => i);
  await drafts.save("k", { again: false, elapsed: 0, history, at: 99, actions: [] });
  const kept = drafts.read("k", false);
  assert.equal(kept.history[kept.at], 99);
  assert.equal(kept.history.length, 60);
  await drafts.save("k", { again: false, elapsed: 0, history, at: 10, actions: [] });
  const back = drafts.read("k", false);
  assert.equal(back.history[back.at], 10);
});

test("the name of a store does not tell the personal link", async () => {
  const name = await nameOf("UDAx.signature");
  assert.match(name, /^clickstudy-[0-9a-f]{16}$/);
});

test("the outbox is sent in its order and forgotten when it is acknowledged", async (t) => {
  const store = new Memory();
  const outbox = new Outbox(store);
  const sent = [];
  t.mock.method(globalThis, "fetch", async (_url, options) => {
    const { messages } = JSON.parse(options.body);
    sent.push(...messages.map((m) => m.id));
    const results = Object.fromEntries(messages.map((m) => [m.id, m.id === "id-bad" ? "refused" : null]));
    return new Response(JSON.stringify({ results, held: true, state: { now: 1 } }));
  });
  t.mock.method(console, "warn", () => {});
  const server = new Server({ base: "", token: "t" }, outbox);
  for (let i = 0; i < 25; i += 1) await outbox.put(said(i === 3 ? "id-bad" : `id-${i}`), i);
  const [one, two] = await Promise.all([server.flush(), server.flush()]);
  assert.equal(one, two);
  assert.equal(sent.length, 25);
  assert.deepEqual(outbox.messages(), []);
});

test("the attention on the next image comes with the answer, and is not asked for again", async (t) => {
  const asked = [];
  globalThis.Image = class { set src(address) { asked.push(address); } async decode() {} };
  t.after(() => { delete globalThis.Image; });
  const layers = new Layers((path, query = {}) => `${path}?${new URLSearchParams(query)}`, () => {});
  layers.bring("/overlay/1", { v: 3 }, "data:3");
  await layers.of("1/3", { image: "/image/1", overlay: "/overlay/1" }, { v: 3 }).loading;
  assert.deepEqual(asked, ["/image/1?", "data:3"]);
  // another image, or a model that knows more, is another picture
  await layers.of("2/3", { image: "/image/2", overlay: "/overlay/2" }, { v: 3 }).loading;
  await layers.of("1/4", { image: "/image/1", overlay: "/overlay/1" }, { v: 4 }).loading;
  assert.deepEqual(asked.slice(2), ["/image/2?", "/overlay/2?v=3", "/overlay/1?v=4"]);
});

test("regions that can wait are asked for when the image is painted", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  globalThis.Image = class { async decode() {} };
  t.after(() => { delete globalThis.Image; });
  const fetched = t.mock.method(globalThis, "fetch", async () => new Response(new Uint16Array([1, 1, 7]).buffer));
  const asked = () => fetched.mock.calls.map((call) => call.arguments[0]);
  const settle = async () => { for (let i = 0; i < 20; i += 1) await Promise.resolve(); };
  const layers = new Layers((path) => path, () => {});
  layers.of("soon", { image: "/image", regions: "/proposal" });
  assert.deepEqual(asked(), ["/proposal"]);
  layers.of("later", { image: "/image", regions: "/regions", later: true });
  await settle();
  assert.deepEqual(asked(), ["/proposal"]);
  t.mock.timers.tick(100);
  await settle();
  assert.deepEqual(asked(), ["/proposal", "/regions"]);
});

test("idb is the published module, with its licence", async () => {
  const read = (path) => readFile(new URL(path, import.meta.url), "utf8");
  assert.equal(await read("../../apps/canvas/vendor/idb.js"), await read("../../node_modules/idb/build/index.js"));
  assert.equal(await read("../../apps/canvas/vendor/idb.LICENSE"), await read("../../node_modules/idb/LICENSE"));
});
