// @ts-check
// The open item: painted, on the screen, timed, drafted, and put away again.

import { Canvas } from "./canvas.js";
import { frame, patience, pause } from "./clock.js";
import { isEmpty } from "./drawing.js";
import { History } from "./history.js";
import { percent, t } from "./words.js";

/** @typedef {import("./canvas.js").Item} Item */

export class Stage {
  /**
   * @param {import("./view.js").View} view @param {import("./drafts.js").Drafts} drafts
   * @param {() => void} changed
   */
  constructor(view, drafts, changed) {
    this.view = view;
    this.drafts = drafts;
    /** the key of what is, or is about to be, shown */
    this.wanted = "";
    this.away = false;
    /** @type {number | null} when the last item was confirmed, for the time to the next */
    this.submitted = null;
    this.canvas = new Canvas(view.$(".base"), view.$(".top"), {
      changed: () => { this.save(); this.buttons(); this.view.say(""); changed(); },
      tell: (text) => view.say(text, "no"),
      sized: (size) => { view.$(".brush input").value = String(size * 100); },
      viewed: () => { view.$('[data-do="zoom-whole"]').textContent = percent(this.canvas.view.zoom); },
    });
  }

  get item() { return this.canvas.item; }

  get ready() { return this.canvas.enabled; }

  /**
   * Paint, wait until it is on the screen, and start the clock.
   * @param {Item} item @param {() => import("./layers.js").Layer} layersOf
   * @param {{ history: any[], at: number, actions: any[] } | null} draft
   */
  async present(item, layersOf, draft = null) {
    this.wanted = item.key;
    this.canvas.enabled = false;
    this.canvas.clear();
    delete this.view.root.dataset.shown;
    this.buttons();
    const slow = setTimeout(() => { if (this.wanted === item.key) this.view.note(t("Loading…")); }, 300);
    for (let tries = 0; ; tries += 1) {
      try {
        const layers = layersOf();
        const [image, overlay] = await layers.loading;
        if (this.wanted !== item.key) { clearTimeout(slow); return; }
        Object.assign(item, { image, overlay, layers, regions: layers.regions });
        break;
      } catch {
        if (this.wanted !== item.key) { clearTimeout(slow); return; }
        this.view.note(t("Waiting for the connection…"));
        await pause(patience(tries) / 2);
        if (this.wanted !== item.key) { clearTimeout(slow); return; }
      }
    }
    clearTimeout(slow);
    this.view.note("");
    this.canvas.begin(item, draft ? new History(draft.history, draft.at, draft.actions) : new History());
    await frame();
    await frame();
    if (this.wanted !== item.key) return;
    const onset = performance.now();
    item.clock.start(onset);
    this.canvas.enabled = true;
    this.view.root.dataset.shown = item.key;
    this.view.root.dataset.learnt = String(item.learnt ?? "");
    this.view.$(".top").focus({ preventScroll: true });
    if (this.submitted !== null) {
      performance.measure("clickstudy:next", { start: this.submitted, end: onset });
      this.submitted = null;
    }
    if (!document.hasFocus() && !this.away) this.look({ timeStamp: onset }, false);
    this.buttons();
  }

  /** Nothing is open. */
  empty() {
    this.wanted = "";
    this.canvas.enabled = false;
    this.canvas.clear();
    delete this.view.root.dataset.shown;
    this.buttons();
  }

  /** Stop the clock of the open item and keep what there is. @returns {boolean} whether one was open */
  suspend() {
    if (!this.item || !this.ready) return false;
    this.save();
    this.item.clock.stop(performance.now());
    this.canvas.enabled = false;
    delete this.view.root.dataset.shown;
    this.wanted = "";
    this.buttons();
    return true;
  }

  save() {
    const { item } = this;
    if (!item || !item.counts || !this.ready) return;
    const { drawings, at, actions } = this.canvas.history;
    this.drafts.save(item.key, { again: Boolean(item.again), elapsed: item.clock.elapsed(performance.now()), history: drawings, at, actions });
  }

  /** @param {{ timeStamp: number }} event @param {boolean} here */
  look(event, here) {
    if (this.away === !here) return;
    this.away = !here;
    if (this.item && this.ready && this.item.counts) this.canvas.log(event, here ? "focus" : "blur");
  }

  /** @param {number} value */
  setOpacity(value) {
    this.canvas.opacity = value;
    this.view.$(".opacity input").value = String(Math.round(value * 100));
    this.canvas.paintBase();
  }

  buttons() {
    const kind = this.view.root.dataset.kind;
    const ready = this.ready && kind !== "check";
    const set = (/** @type {string} */ name, /** @type {boolean} */ on) => { this.view.$(`[data-do="${name}"]`).disabled = !on; };
    set("undo", ready && this.canvas.history.canUndo);
    set("redo", ready && this.canvas.history.canRedo);
    set("cancel", ready && !isEmpty(this.canvas.drawing));
    set("nothing", ready && kind === "batch");
    set("confirm", ready);
    for (const button of this.view.$(".answers").children) {
      button.disabled = !ready;
      button.setAttribute("aria-pressed", String(this.canvas.drawing.answers.includes(button.dataset.answer)));
    }
    for (const name of ["zoom-in", "zoom-out", "zoom-whole"]) set(name, this.ready);
    this.view.$(".top").classList.toggle("busy", !this.ready);
  }
}
