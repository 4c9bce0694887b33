// @ts-check
// Buttons and keys: which name was pressed, and who does it.

import { meaning } from "./keys.js";
import { toolOf } from "./tools.js";

/** @type {Record<string, number>} factors; 0 is the whole image */
const ZOOMS = { "zoom-in": 1.5, "zoom-out": 1 / 1.5, "zoom-whole": 0 };
/** How much a key makes the brush larger. */
const GROWTH = 1.25;
/** After these Enter means the image's next step, not the button's that was pressed with the mouse. */
const GIVE_BACK = ["answer-1", "answer-2", "answer-3", "answer-4", "answer-5", "undo", "redo", "cancel", "tool-look", "tool-not", ...Object.keys(ZOOMS)];

export class Controls {
  /** @param {import("./workspace.js").Workspace} workspace */
  constructor(workspace) {
    const { stage, round, gallery, glimpse, rests, confirmation, view } = workspace;
    const { canvas } = stage;
    this.workspace = workspace;
    /** @type {Record<string, (event: any, button: HTMLElement | null) => void>} */
    this.table = {
      "confirm": (event) => { confirmation.confirm(event); },
      "nothing": (event) => { if (workspace.root.dataset.kind === "batch") confirmation.confirm(event, true); },
      "undo": (event) => canvas.step(event, -1),
      "redo": (event) => canvas.step(event, 1),
      "cancel": (event) => canvas.cancel(event),
      "cancel-open": (event) => canvas.cancel(event, false),
      "close": (event) => canvas.close(event),
      "delete": (event) => canvas.deleteHovered(event),
      "press": (event) => this.pressAtCursor(event, 0),
      "press-other": (event) => this.pressAtCursor(event, 2),
      "tool-look": () => this.hold("look"),
      "tool-not": () => this.hold("not"),
      ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => [`answer-${n}`, (/** @type {any} */ event) => canvas.answer(event, n - 1)])),
      "smaller": () => canvas.resize(1 / GROWTH),
      "larger": () => canvas.resize(GROWTH),
      "next": (event) => round.next(event),
      "previous-page": () => round.turn(-1),
      "next-page": () => round.turn(1),
      "attention": () => workspace.setOpacity(canvas.opacity > 0 ? 0 : workspace.config.opacity),
      "train": () => workspace.setMode("train"),
      "test": () => workspace.setMode("test"),
      "class": (_, button) => gallery.choose(button?.dataset.name || ""),
      "more-maps": () => gallery.next(),
      "pick": (_, button) => gallery.pick(Number(button?.dataset.index)),
      "glimpse": () => { glimpse.begin(); },
      "glimpse-1": (event) => { glimpse.answer(0, event); },
      "glimpse-2": (event) => { glimpse.answer(1, event); },
      "rest": () => rests.begin(),
      "go-on": (event) => { rests.end(event); },
      "satisfied": (event) => rests.stop(event),
      "help": () => { view.fillHelp(workspace.words, workspace.config.hotkeys); view.help.show(); },
      "close-help": () => view.help.hide(),
      "take": () => { workspace.take(); },
      "leave": () => { view.help.hide(); view.leaving.show(); },
      "stay": () => view.leaving.hide(),
      "leave-keep": () => { workspace.withdraw(false); },
      "leave-erase": () => { workspace.withdraw(true); },
      ...Object.fromEntries(Object.entries(ZOOMS).map(([name, factor]) => [name, () => canvas.zoom(factor)])),
    };
  }

  /** @param {string} name @param {any} event @param {HTMLElement | null} button */
  do(name, event, button = null) { this.table[name]?.(event, button); }

  /** @param {any} event */
  act(event) {
    const { workspace } = this;
    if (workspace.stopped) return;
    const cell = event.target.closest(".grid button");
    if (cell) {
      if (workspace.root.dataset.kind === "batch") workspace.round.open(Number(cell.dataset.index));
      return;
    }
    const button = event.target.closest("[data-do]");
    if (!button || button.disabled) return;
    this.do(button.dataset.do, event, button);
    if (GIVE_BACK.includes(button.dataset.do)) workspace.view.$(".top").focus({ preventScroll: true });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const { view, stage, shown, config } = this.workspace;
    const target = event.composedPath()[0];
    if (target instanceof HTMLElement && writes(target)) return;
    if (view.help.open) {
      if (event.key === "Escape" || event.key === config.hotkeys.help) view.help.hide();
      return;
    }
    if (view.rest.open || view.cover.open) return;
    if (shown === "glimpse") this.workspace.glimpse.key(event);
    if (shown !== "work") return;
    const { canvas } = stage;
    const meant = meaning(event, {
      onButton: target instanceof HTMLElement && target.tagName === "BUTTON",
      onCanvas: target === view.$(".top"),
      ready: stage.ready, cursor: Boolean(canvas.cursor), open: canvas.drawing.open.length,
      answers: Boolean(canvas.item && toolOf(canvas.item.interface).answers),
      closes: Boolean(canvas.item && toolOf(canvas.item.interface).close?.(canvas.drawing)),
      hotkeys: config.hotkeys,
    });
    if (!meant) return;
    if (meant.by) canvas.steer(...meant.by);
    else this.do(meant.do, event);
    event.preventDefault();
  }

  /** @param {string} tool */
  hold(tool) {
    this.workspace.stage.canvas.tool = tool;
    this.workspace.view.tool(tool);
  }

  /** @param {{ timeStamp: number }} event @param {number} button */
  pressAtCursor(event, button) {
    const { canvas } = this.workspace.stage;
    if (canvas.cursor) canvas.pressAt({ timeStamp: event.timeStamp }, canvas.cursor, button);
  }
}

/** Whether one writes in it: its keys are its own. @param {HTMLElement} target */
function writes(target) {
  return ["TEXTAREA", "SELECT"].includes(target.tagName) || (target instanceof HTMLInputElement && target.type !== "range");
}
