// @ts-check
// What is drawn and not confirmed, with the time it took and the way back (undo).

const MOST_STEPS = 60;

/**
 * @typedef {import("./drawing.js").Drawing} Drawing
 * @typedef {{ again: boolean, elapsed: number, history: Drawing[], at: number, actions: object[] }} Draft
 */

export class Drafts {
  /** @param {import("./store.js").Store} store */
  constructor(store) { this.store = store; }

  /**
   * A draft of a confirmed image counts only when it was begun after the confirmation.
   * @param {string} key @param {boolean} isDone @returns {Draft | null}
   */
  read(key, isDone) {
    const draft = this.store.get(`draft/${key}`);
    return draft && draft.again === isDone ? draft : null;
  }

  /** @param {string} key @param {Draft} draft */
  save(key, draft) {
    const from = Math.max(draft.history.length - MOST_STEPS, 0);
    const kept = { ...draft, history: draft.history.slice(from), at: draft.at - from };
    if (kept.at < 0) Object.assign(kept, { history: [draft.history[draft.at]], at: 0 });
    return this.store.put(`draft/${key}`, kept).catch(() => {});
  }

  /** @param {string} key */
  drop(key) { return this.store.drop(`draft/${key}`).catch(() => {}); }

  /** @param {string} batch the image that was open @param {number} size */
  current(batch, size) {
    const kept = this.store.get(`current/${batch}`);
    return Number.isInteger(kept) && kept < size ? kept : null;
  }

  /** @param {string} batch @param {number} index */
  open(batch, index) { return this.store.put(`current/${batch}`, index).catch(() => {}); }

  /** @param {string} batch @returns {number[]} images with something drawn and not confirmed */
  unconfirmed(batch) {
    return this.store.under(`draft/${batch}/`)
      .filter(([, draft]) => draft.again && draft.at > 0)
      .map(([key]) => Number(key.split("/").pop()));
  }
}
