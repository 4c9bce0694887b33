// @ts-check
// Time: how long an item was in sight, and small waits.

/** Milliseconds an item was in sight, over several looks at it; times are event.timeStamp. */
export class ItemClock {
  /** @param {number} before */
  constructor(before = 0) {
    this.before = before;
    /** @type {number | null} */
    this.since = null;
  }

  /** @param {number} at */
  start(at) { this.since = at; }

  /** @param {number} at */
  stop(at) {
    this.before = this.elapsed(at);
    this.since = null;
  }

  /** @param {number} at */
  elapsed(at) { return this.before + (this.since === null ? 0 : Math.max(at - this.since, 0)); }
}

/** @param {number} ms @returns {Promise<void>} */
export const pause = (ms) => new Promise((resolve) => { setTimeout(() => resolve(), ms); });

/** @returns {Promise<number>} */
export const frame = () => new Promise((resolve) => { requestAnimationFrame(resolve); });

/**
 * How long to wait before the n-th try (from 0) of something that fails: longer each time, with
 * some chance in it, so that a room of browsers does not come back in the same moment.
 * @param {number} tries @param {number} chance in [0, 1)
 */
export function patience(tries, chance = Math.random()) {
  return Math.min(1000 * 2 ** tries, 15000) * (0.75 + 0.5 * chance);
}

export const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
