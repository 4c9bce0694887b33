// @ts-check
// Being in touch with the server: claiming the study for this tab, asking what is due, and saying so
// when nobody answers.

import { patience, pause } from "./clock.js";
import { t } from "./words.js";

export class Connection {
  /**
   * @param {import("./server.js").Server} server @param {import("./store.js").Store} store
   * @param {import("./view.js").View} view
   * @param {{ heard: (state: any) => void, waiting: () => boolean, stopped: () => boolean }} on
   */
  constructor(server, store, view, on) {
    this.server = server;
    this.store = store;
    this.view = view;
    this.on = on;
    /** whether this tab may act */
    this.held = false;
    this.online = true;
  }

  /** @param {any} answer */
  hear(answer) {
    this.held = answer.held;
    this.on.heard(answer.state);
  }

  /** Claim the study for this tab, and go on asking. @returns {Promise<boolean>} false: nobody of this link */
  async open() {
    for (let tries = 0; !this.on.stopped(); tries += 1) {
      try {
        const claimed = await this.server.ask("/api/claim", {});
        this.held = claimed.held;
        const flushed = this.held ? await this.server.flush() : null;
        this.on.heard((flushed || claimed).state);
        break;
      } catch (error) {
        if (/** @type {any} */ (error).status === 403) return false;
        this.lost(true);
        await pause(patience(tries));
      }
    }
    return true;
  }

  /** A heartbeat: renews the lease, sends what is left over, sees what the experimenter did. */
  async beat() {
    let failed = 0;
    while (!this.on.stopped() && this.view.root.isConnected) {
      await pause(this.online ? (this.on.waiting() ? 1000 : 4000) : patience(Math.min(failed, 3)));
      await this.refresh();
      failed = this.online ? 0 : failed + 1;
    }
  }

  async refresh() {
    try {
      const { server } = this;
      const left = this.held && server.outbox.messages().length && !server.flushing;
      const answer = left ? await server.flush() : await server.ask("/api/state", null, { tab: server.tab, page: server.page });
      if (!answer) return;
      this.lost(false);
      this.hear(answer);
    } catch {
      this.lost(true);
    }
  }

  /** Go on in this tab: another one had the study. */
  async take() {
    try {
      const answer = await this.server.ask("/api/claim", { take: true });
      await this.store.read();
      this.held = answer.held;
      return answer.state;
    } catch {
      this.lost(true);
      return null;
    }
  }

  /** @param {boolean} is whether nobody answers */
  lost(is) {
    this.online = !is;
    this.view.fact("net", standing(is, this.server.outbox.messages().length, this.store.problem));
  }
}

/**
 * The connection, and what is kept here, in words; nothing where all is well.
 * @param {boolean} lost @param {number} waiting messages that are kept here @param {string} problem
 */
export function standing(lost, waiting, problem) {
  const kept = problem ? ` ${problem}` : "";
  if (!lost) return kept.trim();
  return (waiting ? t("No connection: {count} saved here", { count: waiting }) : t("No connection")) + kept;
}
