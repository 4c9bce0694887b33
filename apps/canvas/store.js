// @ts-check
// What has to survive a reload, a crash and a power cut: kept in IndexedDB, read once, then known.

import { openDB } from "./vendor/idb.js";
import { t } from "./words.js";

/**
 * Values by name, all in memory and all in IndexedDB. Reading is at once; writing answers when the
 * value is on the disk ("strict": the browser may not just promise to write it).
 */
export class Store {
  constructor() {
    /** @type {Map<string, any>} */
    this.known = new Map();
    /** @type {import("idb").IDBPDatabase | null} */
    this.database = null;
    /** why nothing can be kept here, where that is so */
    this.problem = "";
  }

  /** @param {string} name */
  async open(name) {
    try {
      this.database = await openDB(name, 1, { upgrade(database) { database.createObjectStore("kept"); } });
      await this.read();
    } catch (error) {
      this.problem = t("This browser keeps nothing ({why}).", { why: /** @type {Error} */ (error).name });
    }
    return this;
  }

  /** Read again what another tab may have written. */
  async read() {
    if (!this.database) return;
    const transaction = this.database.transaction("kept");
    const [keys, values] = await Promise.all([transaction.store.getAllKeys(), transaction.store.getAll()]);
    this.known = new Map(keys.map((key, i) => [String(key), values[i]]));
  }

  /** @param {string} key */
  get(key) { return this.known.get(key); }

  /** @param {string} prefix @returns {[string, any][]} in order of their names */
  under(prefix) {
    return [...this.known].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /**
   * @param {string} key @param {any} value
   * @param {"strict" | "relaxed"} durability
   */
  async put(key, value, durability = "relaxed") {
    this.known.set(key, value);
    await this.write(durability, (store) => { store.put(value, key); });
  }

  /** @param {string[]} keys */
  async drop(...keys) {
    keys.forEach((key) => this.known.delete(key));
    await this.write("relaxed", (store) => { keys.forEach((key) => { store.delete(key); }); });
  }

  /**
   * @param {"strict" | "relaxed"} durability
   * @param {(store: any) => void} change
   */
  async write(durability, change) {
    if (!this.database) throw new Error(this.problem || "nothing is open");
    const transaction = this.database.transaction("kept", "readwrite", { durability });
    change(transaction.store);
    await transaction.done;
  }

  /** Forget everything: a lab's computer has other users. */
  async forget() {
    this.known.clear();
    await this.write("relaxed", (store) => { store.clear(); });
  }
}

/**
 * The name of a participant's store: not the personal link itself, which others may read here.
 * @param {string} token
 */
export async function nameOf(token) {
  if (!crypto.subtle) return `clickstudy-${token.slice(-12)}`;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
  return `clickstudy-${Array.from(new Uint8Array(digest).slice(0, 8), (b) => b.toString(16).padStart(2, "0")).join("")}`;
}
