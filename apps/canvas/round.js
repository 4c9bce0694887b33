// @ts-check
// One round of a task: its batch of images, which is open, which are done, and what comes after.

import { ItemClock, pause } from "./clock.js";
import { drawingOf, firstLeft, nextOnPage } from "./drawing.js";
import { Grid } from "./grid.js";
import { toolOf } from "./tools.js";
import { t } from "./words.js";

/** Milliseconds in which Enter was meant for the image before. */
const TOO_SOON_FOR_TUNING = 700;

export class Round {
  /** @param {import("./workspace.js").Workspace} workspace */
  constructor(workspace) {
    this.workspace = workspace;
    this.view = workspace.view;
    this.server = workspace.server;
    this.stage = workspace.stage;
    this.drafts = workspace.drafts;
    this.layers = workspace.layers;
    this.grid = new Grid(this.view, (path, query) => this.server.url(path, query));
    /** @type {any} */
    this.batch = null;
    /** @type {Set<number>} */
    this.done = new Set();
    /** @type {number | null} */
    this.index = null;
    this.loading = "";
    /** @type {number | null} how much the model had learnt whose attention the layers show */
    this.version = null;
    this.restedAt = -1e9;
    /** the round whose fine-tuning was asked for while nobody answered */
    this.wish = "";
  }

  get state() { return this.workspace.state; }

  /** @param {any} state */
  nameOf(state) { return `${state.task.position}/${state.batch.cycle}`; }

  /** @param {any} state */
  same(state) { return Boolean(this.batch && state.task && state.batch && this.batch.name === this.nameOf(state)); }

  /** The batch of a state, fetched once; null while it is not there. @param {any} state */
  async need(state) {
    if (this.same(state)) return this.batch;
    const name = this.nameOf(state);
    if (this.loading === name) return null;
    this.loading = name;
    try {
      const batch = await this.server.ask("/api/batch");
      if (`${batch.position}/${batch.cycle}` !== name) return null;
      this.batch = { ...batch, name, size: state.batch.size, pageSize: state.batch.page_size };
      this.done = new Set();
      this.layers.clear();
      // the answer took a while: what is due may be something else by now
      this.workspace.apply(this.state);
    } catch { await pause(500); } finally { this.loading = ""; }
    return null;
  }

  /** @param {any} state */
  async showBatch(state) {
    const batch = await this.need(state);
    if (!batch) return;
    state.batch.done.forEach((/** @type {number} */ index) => this.done.add(index));
    this.server.outbox.messages().forEach((m) => {
      if (m.type === "annotated" && `${m.position}/${m.cycle}` === batch.name) this.done.add(batch.images.indexOf(m.image));
    });
    const arrived = this.workspace.shown !== "work" || this.workspace.root.dataset.kind !== "batch";
    this.workspace.show("work", "batch");
    this.use(this.index === null ? state.task.interface : this.interfaceOf(this.index));
    this.workspace.gallery.reward(state.task);
    if (arrived) {
      this.view.say("");
      const kept = this.drafts.current(batch.name, batch.size);
      const resumed = kept !== null && this.drafts.read(`${batch.name}/${kept}`, this.done.has(kept));
      const first = resumed ? kept : firstLeft(this.done, batch.size);
      this.grid.page = Math.floor((first ?? 0) / batch.pageSize);
      if (first === null || state.task.over) this.rest();
      else this.open(first);
    }
    this.showGrid();
  }

  showGrid() {
    this.grid.show(this.batch, this.done, this.index, this.state.step === "FineTune");
    this.view.fact("cycle", t("This round {done} / {of}", { done: this.done.size, of: this.batch.size }));
    this.stage.buttons();
  }

  /** Another page of the candidates. @param {number} by */
  turn(by) {
    this.grid.page = Math.min(Math.max(this.grid.page + by, 0), this.grid.pages(this.batch) - 1);
    this.showGrid();
  }

  /** With which interface an image is annotated: the task's, or what the machine asks for. @param {number} index @returns {string} */
  interfaceOf(index) {
    const { batch, task } = this.state;
    return batch?.asked?.[index] || task.interface;
  }

  /** @param {string} name of an interface whose words stand beside the image */
  use(name) {
    const { workspace } = this;
    workspace.interface = name;
    this.view.legend(workspace.words, workspace.attends(), Boolean(toolOf(name).sizes));
  }

  /** Which version of the attention is shown, where it changes within the batch; else null. */
  learnt() { return this.state.batch ? this.state.batch.learnt ?? null : null; }

  /** Which image comes after this one, where its attention changes with what is confirmed; else null. @param {number} index */
  expected(index) {
    if (this.learnt() === null) return null;
    const next = nextOnPage(index, this.done, this.batch.size, this.batch.pageSize);
    return next !== null && this.workspace.attends(this.interfaceOf(next)) ? next : null;
  }

  /** The newest attention on an image has come with an answer. @param {{ position: number, cycle: number, index: number, learnt: number, picture: string }} overlay */
  bring({ position, cycle, index, learnt, picture }) {
    this.layers.bring(`/stimuli/overlay/${position}/${cycle}/${index}`, { v: learnt }, picture);
  }

  /** @param {number} index */
  layersOf(index) {
    const name = `${this.batch.name}/${index}`;
    const used = this.interfaceOf(index);
    // a model that learns from every image looks at this one anew
    const learnt = this.learnt();
    const newest = learnt === null ? {} : { v: learnt };
    if (learnt !== this.version) this.layers.renew();
    this.version = learnt;
    return this.layers.of(`${name}/${learnt ?? ""}`, {
      image: `/stimuli/image/${name}`,
      overlay: this.workspace.attends(used) && `/stimuli/overlay/${name}`,
      regions: this.workspace.config.interfaces[used].regions && `/stimuli/regions/${name}`,
      later: !this.workspace.config.interfaces[used].answers.length,
    }, newest);
  }

  /** @param {number} index */
  preload(index) {
    let next = /** @type {number | null} */ (index);
    for (let i = 0; i < 4; i += 1) {
      next = nextOnPage(/** @type {number} */ (next), new Set([...this.done, index]), this.batch.size, this.batch.pageSize);
      if (next === null || next === index) return;
      // what a model that learns from each image sees here is another thing by then
      if (this.learnt() === null) this.layersOf(next);
      else this.layers.picture(`/stimuli/image/${this.batch.name}/${next}`).catch(() => {});
    }
  }

  /** @param {number} index */
  async open(index) {
    if (this.stage.suspend() && this.index !== index) this.view.say("");
    this.index = index;
    this.workspace.preview.stop();
    const { batch } = this;
    this.use(this.interfaceOf(index));
    this.drafts.open(batch.name, index);
    const again = this.done.has(index);
    const draft = this.drafts.read(`${batch.name}/${index}`, again);
    /** @type {import("./canvas.js").Item} */
    const item = {
      key: `${batch.name}/${index}`, index, again, interface: this.workspace.interface, counts: true,
      clock: new ItemClock(draft ? draft.elapsed : 0),
      learnt: this.workspace.attends() ? this.learnt() : null,
    };
    this.view.prompt(this.workspace.words.prompt, batch.labels[index]);
    this.showGrid();
    let confirmed = null;
    if (again && !draft) {
      try {
        confirmed = await this.server.ask("/api/annotation", null, { position: batch.position, cycle: batch.cycle, index });
      } catch { confirmed = null; }
      if (this.index !== index) return;
    }
    if (confirmed && (confirmed.negative_regions.length || confirmed.proposals?.length)) {
      const layers = this.layersOf(index);
      for (let i = 0; i < 40 && !layers.regions; i += 1) await pause(100);
      if (this.index !== index) return;
    }
    const begun = confirmed && { history: [drawingOf(confirmed, this.layersOf(index).regions)], at: 0, actions: [] };
    await this.stage.present(item, () => this.layersOf(index), draft || begun);
    this.preload(index);
  }

  // nothing is open: the page, or the batch, is done
  rest() {
    this.index = null;
    this.stage.empty();
    const all = this.done.size >= this.batch.size || this.state.step === "FineTune";
    this.view.prompt("");
    this.view.note(this.state.task.over
      ? t("This task is over. Press FINE-TUNE to finish it.")
      : all ? t("All images of this round are done. Look at any of them again, or press FINE-TUNE.") : t("This page is done. Press NEXT for the next images."));
    this.restedAt = performance.now();
    this.showGrid();
    this.view.$('[data-do="next"]').focus({ preventScroll: true });
  }

  /** @param {any} event */
  next(event) {
    if (!this.batch || this.workspace.root.dataset.kind !== "batch") return;
    // Enter, twice, on the last image: the second one is not a wish to fine-tune
    if (!event.detail && performance.now() - this.restedAt < TOO_SOON_FOR_TUNING) return;
    if (this.state.step === "FineTune") {
      this.stage.save();
      const [changed] = this.drafts.unconfirmed(this.batch.name);
      if (changed !== undefined) {
        if (this.index !== changed) this.open(changed);
        this.view.say(t("Image {number} has a change that is not confirmed: confirm or undo it first.", { number: changed + 1 }), "no");
        return;
      }
      this.tune();
      return;
    }
    const left = firstLeft(this.done, this.batch.size);
    if (left === null || !this.grid.pageDone(this.batch, this.done)) return;
    this.grid.page = Math.floor(left / this.batch.pageSize);
    this.open(left);
  }

  async tune() {
    this.wish = this.nameOf(this.state);
    try {
      const answer = await this.server.ask("/api/fine-tune", {});
      this.wish = "";
      this.workspace.apply(answer.state);
    } catch {
      this.workspace.connection.lost(true);
      this.view.say(t("No connection: fine-tuning starts when it is back."), "no");
    }
  }
}
