// @ts-check
// What was said and not yet acknowledged. It is kept before it is sent.

/** @typedef {{ id: string, type: string, [key: string]: any }} Message */

export class Outbox {
  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.store = store;
    this.number = 0;
  }

  /** @returns {Message[]} in the order in which they were said */
  messages() { return this.store.under("outbox/").map(([, message]) => message); }

  /**
   * Keep a message; resolves when it is on the disk.
   * @param {Message} message @param {number} now
   */
  put(message, now = Date.now()) {
    this.number += 1;
    const place = `${String(now).padStart(15, "0")}-${String(this.number).padStart(6, "0")}`;
    return this.store.put(`outbox/${place}/${message.id}`, message, "strict");
  }

  /**
   * Forget what the server has (or refuses for good).
   * @param {Record<string, string | null>} results
   */
  async drop(results) {
    const gone = this.store.under("outbox/").filter(([, message]) => message.id in results).map(([key]) => key);
    if (gone.length) await this.store.drop(...gone).catch(() => {});
  }
}
