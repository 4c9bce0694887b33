// What has to survive: the time an item was in sight, and what was said and not acknowledged.

// Milliseconds an item was in sight, over several looks at it; times are event.timeStamp.
export class ItemClock {
  constructor(before = 0) {
    this.before = before;
    this.since = null;
  }

  start(at) { this.since = at; }

  stop(at) {
    this.before = this.elapsed(at);
    this.since = null;
  }

  elapsed(at) { return this.before + (this.since === null ? 0 : Math.max(at - this.since, 0)); }
}

// -- the outbox -------------------------------------------------------------------------------

// What was done and not yet acknowledged, in localStorage: it survives a reload and a crash.
export class Outbox {
  constructor(name, storage = window.localStorage) {
    this.name = `${name}/outbox`;
    this.storage = storage;
  }

  messages() { return JSON.parse(this.storage.getItem(this.name) || "[]"); }

  put(message) { this.storage.setItem(this.name, JSON.stringify([...this.messages(), message])); }

  drop(ids) {
    const left = this.messages().filter((message) => !(message.id in ids));
    this.storage.setItem(this.name, JSON.stringify(left));
  }
}

const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const frame = () => new Promise((resolve) => { requestAnimationFrame(resolve); });
