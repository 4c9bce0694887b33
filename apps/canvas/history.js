// @ts-check
// The way of a drawing: every state that it had, which one it has now, and what was done when.

import { emptyDrawing, round4 } from "./drawing.js";

/**
 * @typedef {import("./drawing.js").Drawing} Drawing
 * @typedef {import("./drawing.js").Point} Point
 * @typedef {{ t: number, kind: string, x?: number, y?: number }} Action t in seconds
 */

export class History {
  /** @param {Drawing[]} drawings @param {number} at which of them is the present one @param {Action[]} actions */
  constructor(drawings = [emptyDrawing()], at = 0, actions = []) {
    // what an older page kept may lack kinds of marks
    this.drawings = drawings.map((drawing) => ({ ...emptyDrawing(), ...drawing }));
    this.at = at;
    this.actions = actions;
  }

  get drawing() { return this.drawings[this.at]; }

  get canUndo() { return this.at > 0; }

  get canRedo() { return this.at < this.drawings.length - 1; }

  /** What was done is noted, and stays noted when it is undone. @param {number} t @param {string} kind @param {Point} [point] */
  note(t, kind, point) {
    const action = { t: round4(t), kind };
    this.actions.push(point ? { ...action, x: round4(point[0]), y: round4(point[1]) } : action);
  }

  /** @param {number} t @param {string} kind @param {Drawing} drawing @param {Point} [point] */
  change(t, kind, drawing, point) {
    this.note(t, kind, point);
    this.drawings = [...this.drawings.slice(0, this.at + 1), drawing];
    this.at += 1;
  }

  /** @param {number} t @param {number} by -1: undo, 1: redo @returns {boolean} whether there was a way */
  step(t, by) {
    if (by < 0 ? !this.canUndo : !this.canRedo) return false;
    this.at += by;
    this.note(t, by < 0 ? "undo" : "redo");
    return true;
  }
}
