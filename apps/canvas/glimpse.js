// @ts-check
// Rapid categorisation: a cross, an image for a moment, and which of two things it was.

import { newId } from "./clock.js";
import { round4 } from "./drawing.js";
import { t } from "./words.js";

/** Part of a frame of 60 Hz by which an image may be nearer to its time than the frame before. */
const HALF_A_FRAME = 1000 / 60 / 2;
/** @type {Record<string, number>} */
const KEYS = { 1: 0, ArrowLeft: 0, 2: 1, ArrowRight: 1 };

/** The answer that a key gives; null: none. @param {string} key @returns {number | null} */
export const answerOf = (key) => KEYS[key] ?? null;

/** @typedef {() => Promise<number>} Frame resolves in the next animation frame, with its timestamp */
/** @type {Frame} */
const animationFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));

/**
 * Show something for so long, counted by the timestamps of animation frames.
 * @param {{ wait: number, seconds: number }} times @param {(what: "cross" | "image" | "nothing") => void} show @param {Frame} frame
 * @param {(at: number) => void} appeared told with the timestamp of the frame in which the image is drawn
 * @returns {Promise<number>} seconds between the frame that draws the image and the one that takes it away
 */
export async function flash({ wait, seconds }, show, frame, appeared) {
  show("cross");
  const begun = await frame();
  let now = begun;
  while (now - begun < wait * 1000 - HALF_A_FRAME) now = await frame();
  show("image");
  appeared(now);
  const onset = now;
  while (now - onset < seconds * 1000 - HALF_A_FRAME) now = await frame();
  show("nothing");
  return (now - onset) / 1000;
}

export class Glimpse {
  /** @param {import("./workspace.js").Workspace} workspace @param {Frame} frame */
  constructor(workspace, frame = animationFrame) {
    this.workspace = workspace;
    this.view = workspace.view;
    this.server = workspace.server;
    this.frame = frame;
    this.number = 0;
    this.running = false;
    /** @type {number | null} timestamp of the frame that drew the image */
    this.onset = null;
    /** @type {Promise<number> | null} how long it is there */
    this.shown = null;
    this.early = 0;
    this.answered = false;
  }

  /** @param {any} state */
  show(state) {
    const { glimpse } = state;
    if (!glimpse.choices) { this.workspace.showWait({ ...state, preparing: glimpse.preparing }); return; }
    this.workspace.show("glimpse");
    if (this.number === glimpse.number) return;
    Object.assign(this, { number: glimpse.number, running: false, onset: null, shown: null, early: 0, answered: false });
    this.times = glimpse;
    this.$("h2").textContent = t("What was it? {number} of {items}", glimpse);
    this.picture("nothing");
    this.$(".glimpse-image").removeAttribute("src");
    this.say(t("You will see a small part of an image for a moment. Look at the cross, then say what the image shows. If you do not know, guess."));
    const buttons = this.$(".glimpse-answers").children;
    glimpse.choices.forEach((/** @type {string} */ name, /** @type {number} */ i) => { buttons[i].lastElementChild.textContent = name; });
    this.$(".glimpse-answers").hidden = true;
    this.$('[data-do="glimpse"]').hidden = false;
    this.$('[data-do="glimpse"]').focus({ preventScroll: true });
  }

  /** @param {string} selector @returns {any} */
  $(selector) { return this.view.$(`.glimpse ${selector}`); }

  /** @param {"cross" | "image" | "nothing"} what */
  picture(what) { this.$(".glimpse-frame").dataset.shows = what; }

  /** @param {string} text */
  say(text) { this.$(".glimpse-said").textContent = text; }

  /** The wish to see it. */
  async begin() {
    if (this.running || !this.times) return;
    this.running = true;
    this.$('[data-do="glimpse"]').hidden = true;
    this.$(".glimpse-answers").hidden = false;
    this.say("");
    const image = this.$(".glimpse-image");
    image.src = this.server.url(`/stimuli/glimpse/${this.number}`);
    try {
      await image.decode();
    } catch {
      this.workspace.connection.lost(true);
      this.running = false;
      this.$('[data-do="glimpse"]').hidden = false;
      return;
    }
    this.shown = flash(this.times, (what) => this.picture(what), this.frame, (at) => { this.onset = at; });
  }

  /** @param {number} choice @param {{ timeStamp: number }} event */
  async answer(choice, event) {
    if (!this.running || this.answered) return;
    if (this.onset === null || !this.shown || event.timeStamp < this.onset) {
      this.early += 1;
      this.say(t("Too early: wait until you have seen it."));
      return;
    }
    this.answered = true;
    const { onset, number, early } = this;
    const shown = await this.shown;
    this.workspace.confirmation.send({
      id: newId(), type: "categorised", at: this.server.serverTime(event.timeStamp), number, answer: choice, early,
      seconds: round4((event.timeStamp - onset) / 1000),
      onset: this.server.serverTime(onset), shown: round4(shown),
    }, event, true);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const choice = answerOf(event.key);
    if (choice === null || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.answer(choice, event);
  }
}
