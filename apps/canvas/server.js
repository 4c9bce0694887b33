// @ts-check
// What the page says to the server and fetches from it.

import { newId } from "./clock.js";

export class Server {
  /** @param {{ base: string, token: string }} where @param {import("./outbox.js").Outbox} outbox */
  constructor({ base, token }, outbox) {
    this.base = base;
    this.token = token;
    this.outbox = outbox;
    this.page = newId();
    this.tab = remembered("clickstudy/tab") || newId();
    remember("clickstudy/tab", this.tab);
    /** @type {[number, number][]} round trip and offset of the last answers */
    this.offsets = [];
    /** @type {Promise<any> | null} */
    this.flushing = null;
  }

  /** @param {string} path @param {Record<string, any>} query */
  url(path, query = {}) {
    return `${this.base}${path}?${new URLSearchParams({ p: this.token, ...query })}`;
  }

  /** @param {string} path @param {object | null} body @param {Record<string, any>} query */
  async ask(path, body = null, query = {}) {
    const sent = performance.now();
    /** @type {RequestInit} */
    const options = { signal: AbortSignal.timeout(8000) };
    if (body) Object.assign(options, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ tab: this.tab, page: this.page, ...body }) });
    const response = await fetch(this.url(path, query), options);
    const answer = await response.json();
    if (!response.ok) throw Object.assign(new Error(answer.problem || response.statusText), { status: response.status });
    if (answer && answer.state) this.synchronise(sent, performance.now(), answer.state.now);
    return answer;
  }

  /** A picture that is made of what is said. @param {string} path @param {object} body */
  async picture(path, body) {
    const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal: AbortSignal.timeout(8000) };
    const response = await fetch(this.url(path), options);
    if (!response.ok) throw new Error(response.statusText);
    const image = new Image();
    image.src = URL.createObjectURL(await response.blob());
    await image.decode();
    URL.revokeObjectURL(image.src);
    return image;
  }

  /**
   * Server clock minus ours, from the quickest of the last answers.
   * @param {number} sent @param {number} received @param {number} serverNow
   */
  synchronise(sent, received, serverNow) {
    const middle = (performance.timeOrigin + (sent + received) / 2) / 1000;
    this.offsets = [...this.offsets.slice(-9), [received - sent, serverNow - middle]];
  }

  /** @param {number} timeStamp */
  serverTime(timeStamp) {
    const [, offset] = this.offsets.reduce((a, b) => (b[0] < a[0] ? b : a), [Infinity, 0]);
    return (performance.timeOrigin + timeStamp) / 1000 + offset;
  }

  /**
   * Send the outbox; resolves to the answer to the last messages sent.
   * @param {number | null} next which image of the batch is shown next, where the answer is to bring its newest attention
   */
  async flush(next = null) {
    if (this.flushing) return this.flushing;
    this.flushing = (async () => {
      let answer = null;
      for (;;) {
        const messages = this.outbox.messages().slice(0, 20);
        if (!messages.length) return answer;
        answer = await this.ask("/api/events", next === null ? { messages } : { messages, next });
        for (const [id, reason] of Object.entries(answer.results)) if (reason) console.warn("refused", id, reason);
        // forgotten here at once; nobody waits until it is on the disk too
        this.outbox.drop(answer.results);
      }
    })();
    try {
      return await this.flushing;
    } finally {
      this.flushing = null;
    }
  }

  /** Told as the page is left: a beacon is sent also then. */
  release() {
    const body = new Blob([JSON.stringify({ page: this.page })], { type: "application/json" });
    navigator.sendBeacon(this.url("/api/release"), body);
  }
}

/** @param {string} key */
function remembered(key) {
  try { return sessionStorage.getItem(key); } catch { return null; }
}

/** @param {string} key @param {string} value */
function remember(key, value) {
  try { sessionStorage.setItem(key, value); } catch { /* storage is blocked: a reload is another tab */ }
}
