// @ts-check
// Practice, which teaches, and attention checks, which are fair.

import { ItemClock, newId } from "./clock.js";
import { round4 } from "./drawing.js";
import { toolOf } from "./tools.js";
import { t } from "./words.js";

/** Milliseconds in which a click was meant for the image that stood there before. */
const TOO_SOON_FOR_CHECK = 500;

export class Lessons {
  /** @param {import("./workspace.js").Workspace} workspace */
  constructor(workspace) {
    this.workspace = workspace;
    this.view = workspace.view;
    this.server = workspace.server;
    this.stage = workspace.stage;
    this.layers = workspace.layers;
    this.round = workspace.round;
  }

  /** @param {any} before @param {any} state */
  feedback(before, state) {
    const now = state.practice;
    if (!now || now.interface !== before.interface || now.done > before.done) this.view.say(t("Correct."), "yes");
    else this.view.say([
      t("Not yet."), now.advice || "", t("The dashed line shows what is meant."),
      now.helped ? t("It stays: follow it, or ask the experimenter.") : t("Try again."),
    ].filter(Boolean).join(" "), "no");
  }

  /** @param {any} state */
  async showPractice(state) {
    const { practice } = state;
    if (!practice.label) { this.workspace.showWait({ ...state, preparing: practice.preparing }); return; }
    const key = `practice/${practice.interface}/${practice.attempt}`;
    if (this.stage.wanted === key) return;
    const arrived = this.workspace.root.dataset.kind !== "practice" || this.workspace.interface !== practice.interface;
    this.workspace.show("work", "practice");
    this.workspace.interface = practice.interface;
    this.view.legend(this.workspace.words, this.workspace.attends(), Boolean(toolOf(this.workspace.interface).sizes));
    this.round.index = null;
    if (arrived && practice.attempt === 1) this.view.say("");
    const { words } = this.workspace;
    const many = practice.count > 1 && !words.answers.length;
    const { count, done, items } = practice;
    const values = { what: words.practice, count, done, items, beside: practice.beside ? words.beside : "" };
    this.view.prompt(many
      ? t("Practice: {what} each of the {count} things that show: {name}{beside} ({done} of {items} done)", values)
      : t("Practice: {what} the {name}{beside} ({done} of {items} done)", values), practice.label);
    /** @type {import("./canvas.js").Item} */
    const item = { key, interface: practice.interface, clock: new ItemClock(), wanted: practice.wanted };
    await this.stage.present(item, () => this.layers.of(key, {
      image: `/stimuli/${key}/image`,
      overlay: this.workspace.attends() && `/stimuli/${key}/overlay`,
      regions: words.regions && `/stimuli/${key}/regions`,
    }));
  }

  /** @param {any} state */
  async showCheck(state) {
    const { number, attempt, target, radius } = state.check;
    const key = `check/${state.task.position}/${number}`;
    const name = attempt > 1 ? `${key}/${attempt}` : key;
    if (this.stage.wanted === name) return;
    if (!(await this.round.need(state))) return;
    this.round.index = null;
    this.workspace.show("work", "check");
    this.workspace.interface = state.task.interface;
    this.round.showGrid();
    this.view.say(attempt > 1 ? t("That was beside the ring. Once more.") : "", "no");
    this.view.prompt(t("Attention check: click inside the blue ring. Your next image comes after it."));
    /** @type {import("./canvas.js").Item} */
    const item = { key: name, interface: state.task.interface, clock: new ItemClock(), target: { point: target, radius } };
    item.onPress = (event, point) => {
      // a quick click was meant for the image that stood here
      if (event.button || item.clock.elapsed(event.timeStamp) < TOO_SOON_FOR_CHECK) return;
      this.workspace.confirmation.send({
        id: newId(), type: "checked", at: this.server.serverTime(event.timeStamp),
        seconds: round4(item.clock.elapsed(event.timeStamp) / 1000),
        position: state.task.position, number, attempt, point,
      }, event, true);
    };
    await this.stage.present(item, () => ({ loading: Promise.resolve(/** @type {any} */ ([null, null])), regions: null }));
  }
}
