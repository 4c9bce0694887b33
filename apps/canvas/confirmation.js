// @ts-check
// Confirming an image: whether it can be, what is said of it, and what comes after it.

import { newId, patience, pause } from "./clock.js";
import { annotationOf, isEmpty, nextOnPage, round4 } from "./drawing.js";
import { annotates } from "./due.js";
import { toolOf } from "./tools.js";
import { t } from "./words.js";

/** Milliseconds in which a press was meant for what stood there before. */
const TOO_SOON = 200;

/**
 * Whether the open image can be confirmed: null, or why not ("" needs no words).
 * @param {{ kind: string, elapsed: number, drawing: import("./drawing.js").Drawing, nothing: boolean, unfinished?: string }} given
 *   elapsed: milliseconds since it is shown; nothing: "nothing to correct" was pressed; unfinished: what the tool says
 */
export function refusal({ kind, elapsed, drawing, nothing, unfinished = "" }) {
  // the second press of a double click is not an answer to an image nobody has seen
  if (kind === "check" || elapsed < TOO_SOON) return "";
  if (nothing) return null;
  if (unfinished) return unfinished;
  if (kind === "practice" && isEmpty(drawing)) return t("Mark the object first.");
  return null;
}

export class Confirmation {
  /** @param {import("./workspace.js").Workspace} workspace */
  constructor(workspace) {
    this.workspace = workspace;
    this.view = workspace.view;
    this.stage = workspace.stage;
    this.server = workspace.server;
    this.connection = workspace.connection;
  }

  /** @param {{ timeStamp: number }} event @param {boolean} nothing */
  async confirm(event, nothing = false) {
    const { canvas, item } = this.stage;
    const kind = this.workspace.root.dataset.kind || "";
    if (!item || !this.stage.ready) return;
    const tool = toolOf(item.interface);
    const accepted = nothing ? undefined : tool.accept?.(canvas.drawing);
    const drawing = accepted?.drawing || canvas.drawing;
    const why = refusal({ kind, elapsed: item.clock.elapsed(event.timeStamp), drawing, nothing, unfinished: tool.unfinished?.(drawing, item.regions || null) });
    if (why !== null) {
      if (why) this.view.say(why, "no");
      return;
    }
    if (nothing) canvas.cancel(event);
    else canvas.close(event);
    if (accepted) canvas.change(event, accepted);
    this.workspace.preview.stop();
    const common = {
      id: newId(), at: this.server.serverTime(event.timeStamp),
      seconds: round4(item.clock.elapsed(event.timeStamp) / 1000),
      annotation: annotationOf(canvas.drawing, canvas.regions),
    };
    if (kind === "practice") {
      const { attempt, helped } = this.workspace.state.practice;
      await this.send({ ...common, type: "practised", interface: item.interface, attempt, helped }, event, true);
      return;
    }
    const { round } = this.workspace;
    const { position, cycle, images } = round.batch;
    const index = /** @type {number} */ (item.index);
    round.done.add(index);
    this.workspace.gallery.hideReward();
    await this.send({ ...common, type: "annotated", position, cycle, image: images[index], actions: canvas.history.actions, learnt: item.learnt ?? null }, event, false, item);
  }

  /**
   * Keep it here first, then tell the server; without an answer go on with what we have.
   * @param {any} message @param {{ timeStamp: number }} event
   * @param {boolean} mustAnswer @param {import("./canvas.js").Item | null} item
   */
  async send(message, event, mustAnswer, item = null) {
    const kept = this.server.outbox.put(message);
    // without a place to keep it, only the server can
    const safe = kept.then(() => true, () => false);
    this.stage.submitted = event.timeStamp;
    this.stage.empty();
    const before = this.workspace.state;
    const next = item ? this.workspace.round.expected(/** @type {number} */ (item.index)) : null;
    const answer = await this.deliver(mustAnswer, safe, next);
    if (item) this.workspace.drafts.drop(item.key);
    if (answer) this.answered(before, answer);
    if (item) this.goOn(item, answer);
  }

  /** The server's answer; null where what was said is kept here and nothing waits for it. @param {boolean} mustAnswer @param {Promise<boolean>} safe whether it is kept here @param {number | null} next */
  async deliver(mustAnswer, safe, next) {
    for (let tries = 0; !this.workspace.stopped; tries += 1) {
      let failed = false;
      try {
        const answer = await Promise.race([this.server.flush(next), safe.then(() => pause(1500))]);
        if (answer) { this.connection.lost(false); return answer; }
      } catch {
        failed = true;
        this.connection.lost(true);
      }
      const kept = await safe;
      if (kept && !mustAnswer) return null;
      if (failed && !kept) this.view.say(t("This browser cannot keep what you do. Wait for the connection: nothing is lost."), "no");
      if (failed) await pause(patience(tries));
    }
    return null;
  }

  /** @param {any} before the state in which it was said @param {any} answer */
  answered(before, answer) {
    const { workspace } = this;
    if (before.practice) workspace.lessons.feedback(before.practice, answer.state);
    const settled = annotates(answer.state.step) && annotates(before.step);
    if (!settled && answer.state.step !== "FineTune") workspace.shown = "";
    if (answer.overlay) workspace.round.bring(answer.overlay);
    this.connection.hear(answer);
  }

  /** What comes after a confirmed image. @param {import("./canvas.js").Item} item @param {any} answer null: nobody answers */
  goOn(item, answer) {
    const { workspace, stage } = this;
    const { round } = workspace;
    if (answer) {
      if (workspace.shown !== "work" || workspace.root.dataset.kind !== "batch") return;
      if (answer.state.step === "FineTune") { round.rest(); return; }
    }
    if (stage.item || stage.wanted) return;
    const next = nextOnPage(/** @type {number} */ (item.index), round.done, round.batch.size, round.batch.pageSize);
    if (next === null) round.rest();
    else round.open(next);
  }
}
