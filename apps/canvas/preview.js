// @ts-check
// How the attention on the open image would move if what is drawn on it were confirmed now.

import { annotationOf, isEmpty } from "./drawing.js";
import { toolOf } from "./tools.js";

const CALM = 200;

export class Preview {
  /** @param {import("./workspace.js").Workspace} workspace */
  constructor(workspace) {
    this.workspace = workspace;
    this.number = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** Nobody waits for a preview any more: what is drawn is confirmed. */
  stop() {
    clearTimeout(this.timer);
    this.number += 1;
    this.said(false);
  }

  /** The drawing has changed: ask when the hand rests. */
  changed() {
    clearTimeout(this.timer);
    this.number += 1;
    const { workspace } = this;
    const { item, canvas } = workspace.stage;
    if (!workspace.config.preview || !item || !item.counts) return;
    if (item.own === undefined) item.own = item.overlay;
    if (isEmpty(canvas.drawing)) {
      this.paint(item, item.own);
      return;
    }
    const asked = this.number;
    this.timer = setTimeout(() => this.ask(item, asked), CALM);
  }

  /** Whether what is shown is not yet so. @param {boolean} preview */
  said(preview) { this.workspace.view.$(".opacity .if").hidden = !preview; }

  /** @param {any} item @param {number} asked */
  async ask(item, asked) {
    const { stage, server, round } = this.workspace;
    if (stage.item !== item) return; // the page or the round has changed meanwhile
    const { position, cycle } = round.batch;
    const { drawing, regions } = stage.canvas;
    // as if what is drawn were confirmed now
    const confirmed = toolOf(item.interface).accept?.(drawing).drawing || drawing;
    const body = { position, cycle, index: item.index, annotation: annotationOf(confirmed, regions) };
    try {
      const picture = await server.picture("/api/preview", body);
      if (asked === this.number && stage.item === item) this.paint(item, picture);
    } catch { /* a preview is a help, not a need */ }
  }

  /** @param {any} item @param {HTMLImageElement | null | undefined} overlay */
  paint(item, overlay) {
    item.overlay = overlay;
    this.said(overlay !== item.own);
    this.workspace.stage.canvas.paintBase();
  }
}
