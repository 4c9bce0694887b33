// @ts-check
// Resting inside a task, and ending one because the result is satisfactory.

import { newId } from "./clock.js";
import { round4 } from "./drawing.js";
import { t } from "./words.js";

export class Rests {
  /** @param {import("./workspace.js").Workspace} workspace */
  constructor(workspace) {
    this.workspace = workspace;
    /** @type {{ at: number, number: number, position: number } | null} */
    this.begun = null;
  }

  begin() {
    const { state, stage, view } = this.workspace;
    if (!state.task?.rest) return;
    if (stage.suspend()) this.workspace.shown = "";
    this.begun = { at: performance.now(), number: state.task.rest.number, position: state.task.position };
    view.rest.show();
  }

  /** @param {{ timeStamp: number }} event */
  async end(event) {
    const { begun, workspace } = this;
    if (!begun) return;
    this.begun = null;
    workspace.view.rest.hide();
    workspace.shown = "";
    const seconds = Math.max(round4((event.timeStamp - begun.at) / 1000), 0);
    const { number, position } = begun;
    await workspace.confirmation.send({ id: newId(), type: "rested", at: workspace.server.serverTime(event.timeStamp), seconds, position, number }, event, true);
  }

  /** STOP: the result is satisfactory. @param {{ timeStamp: number }} event */
  stop(event) {
    const { workspace } = this;
    if (!window.confirm(t("Stop here because the result is satisfactory? The task ends."))) return;
    workspace.stage.suspend();
    workspace.shown = "";
    workspace.confirmation.send({ id: newId(), type: "satisfied", at: workspace.server.serverTime(event.timeStamp), seconds: 0, position: workspace.state.task.position }, event, true);
  }
}
