// @ts-check
// The participant's workspace: what the server's state asks for, and what the person does about it.
// It talks to the routes of apps/web/routes.py, not to Streamlit: a click makes no round trip, and
// a slow script run delays nobody. Streamlit is told only when another page is due.

import { newId, patience, pause } from "./clock.js";
import { annotationOf, isEmpty, nextOnPage, round4 } from "./drawing.js";
import { Drafts } from "./drafts.js";
import { Gallery } from "./gallery.js";
import { meaning } from "./keys.js";
import { Layers } from "./layers.js";
import { Lessons } from "./lessons.js";
import { Outbox } from "./outbox.js";
import { Preview } from "./preview.js";
import { Round } from "./round.js";
import { Server } from "./server.js";
import { Stage } from "./stage.js";
import { Store, nameOf } from "./store.js";
import { View } from "./view.js";

/** Milliseconds in which a press was meant for what stood there before. */
const TOO_SOON = 200;
/** @type {Record<string, number>} factors; 0 is the whole image */
const ZOOMS = { "zoom-in": 1.5, "zoom-out": 1 / 1.5, "zoom-whole": 0 };
const ALONE = "Somebody has this study open in another tab or window. Only one of them can be used at a time.";
const PAUSED = "The experimenter has paused the study. Please wait; nothing is lost.";

/** @typedef {{ token: string, base: string, page: string, reveal?: [string, number] | null, config: any }} Data */

export class Workspace {
  /** @param {HTMLElement} root @param {Data} data @param {(name: string, value: any) => void} trigger */
  constructor(root, data, trigger) {
    this.root = root;
    this.trigger = trigger;
    this.view = new View(root);
    /** @type {any} the server's last state */
    this.state = null;
    this.received = 0;
    this.shown = "";
    this.mode = "train";
    this.held = false;
    this.online = true;
    this.stopped = false;
    this.told = 0;
    this.interface = "";
    this.data = data;
    this.config = data.config;
    this.gone = new AbortController();
    /** @type {{ at: number, number: number, position: number } | undefined} */
    this.resting = undefined;
    this.store = new Store();
    this.drafts = new Drafts(this.store);
    this.server = new Server(data, new Outbox(this.store));
    this.stage = new Stage(this.view, this.drafts, () => this.drawn());
    this.layers = new Layers((path, query) => this.server.url(path, query), (layer) => {
      if (!this.stage.item || this.stage.item.layers !== layer) return;
      this.stage.item.regions = layer.regions;
      this.stage.canvas.paintBase();
    });
    this.gallery = new Gallery(this.view, this.server);
    this.round = new Round(this);
    this.lessons = new Lessons(this);
    this.preview = new Preview(this);
    this.start();
  }

  async start() {
    await this.store.open(await nameOf(this.data.token));
    if (this.stopped) return;
    this.listen();
    this.stage.setOpacity(this.store.get("opacity") ?? this.config.opacity);
    await this.boot();
  }

  listen() {
    const { signal } = this.gone;
    this.root.addEventListener("click", (event) => this.act(event), { signal });
    this.root.addEventListener("pointerdown", (event) => { if (event.pointerType !== "mouse") this.root.dataset.touch = "yes"; }, { signal });
    this.view.$(".opacity input").addEventListener("input", (/** @type {any} */ event) => this.setOpacity(event.target.value / 100), { signal });
    window.addEventListener("keydown", (event) => this.key(event), { signal });
    window.addEventListener("blur", (event) => this.stage.look(event, false), { signal });
    window.addEventListener("focus", (event) => this.stage.look(event, true), { signal });
    document.addEventListener("visibilitychange", (event) => this.stage.look(event, document.visibilityState === "visible"), { signal });
    window.addEventListener("pagehide", () => { this.stage.save(); this.server.release(); }, { signal });
    window.addEventListener("online", () => this.refresh(), { signal });
  }

  /** @param {Data} data */
  update(data) {
    const revealed = this.data.reveal;
    this.data = data;
    this.config = data.config;
    this.told = 0;
    if (data.reveal && (!revealed || revealed[1] !== data.reveal[1])) reveal(data.reveal[0]);
    if (this.state) this.refresh();
  }

  stop() {
    if (this.stopped) return;
    this.stopped = true;
    this.stage.save();
    this.stage.canvas.enabled = false;
    this.layers.stopped = true;
    this.gone.abort();
  }

  // -- talking to the server

  async boot() {
    for (let tries = 0; !this.stopped; tries += 1) {
      try {
        const claimed = await this.server.ask("/api/claim", {});
        this.held = claimed.held;
        const flushed = this.held ? await this.server.flush() : null;
        this.apply((flushed || claimed).state);
        break;
      } catch (error) {
        if (/** @type {any} */ (error).status === 403) return;
        this.offline(true);
        await pause(patience(tries));
      }
    }
    this.beat();
    this.tick();
  }

  // a heartbeat: renews the lease, sends what is left over, sees what the experimenter did
  async beat() {
    let failed = 0;
    while (!this.stopped && this.root.isConnected) {
      await pause(this.online ? (this.shown === "wait" ? 1000 : 4000) : patience(Math.min(failed, 3)));
      await this.refresh();
      failed = this.online ? 0 : failed + 1;
    }
    this.stop();
  }

  async refresh() {
    try {
      const waiting = this.held && this.server.outbox.messages().length && !this.server.flushing;
      const answer = waiting ? await this.server.flush() : await this.server.ask("/api/state", null, { tab: this.server.tab, page: this.server.page });
      if (!answer) return;
      this.offline(false);
      this.held = answer.held;
      this.apply(answer.state);
    } catch {
      this.offline(true);
    }
  }

  /** @param {boolean} is */
  offline(is) {
    this.online = !is;
    const waiting = this.server.outbox.messages().length;
    const kept = this.store.problem ? ` ${this.store.problem}` : "";
    this.view.fact("net", is ? `No connection${waiting ? `: ${waiting} saved here` : ""}${kept}` : kept.trim());
  }

  // -- what the server says

  /** @param {any} state */
  apply(state) {
    if (this.stopped) return;
    this.state = state;
    this.received = performance.now();
    this.header();
    if (!this.held || state.paused) {
      this.view.covered(this.held ? "Paused" : "Open somewhere else", this.held ? PAUSED : ALONE, !this.held);
      if (this.stage.suspend()) this.shown = "";
      return;
    }
    this.view.covered(null);
    if (state.page !== this.data.page || state.page !== "workspace") {
      this.leave(state);
      return;
    }
    if (this.mode === "test" || this.view.rest.open) return;
    const tuning = state.step === "FineTune" && !(state.job && state.job.state !== "none");
    if (tuning && this.round.wish === this.round.nameOf(state)) this.round.tune();
    if (state.check) this.lessons.showCheck(state);
    else if (state.practice) this.lessons.showPractice(state);
    else if (state.step === "Annotate" || state.step === "TuneHead" || tuning) this.round.showBatch(state);
    else this.showWait(state);
  }

  /** Another page is Streamlit's. @param {any} state */
  leave(state) {
    // a trigger that is sent while Streamlit is disconnected is lost: say it again
    if (state.page !== this.data.page && (!this.told || performance.now() - this.told > 3000)) {
      this.told = performance.now();
      this.trigger("advance", `${state.page}@${Math.round(this.told)}`);
    }
    if (state.page.startsWith("done") && !this.server.outbox.messages().length) this.store.forget().catch(() => {});
    this.show("page");
  }

  /** @param {string} view @param {string} kind */
  show(view, kind = "") {
    if (this.shown === view && this.root.dataset.kind === kind) return;
    if (view !== "work") this.stage.suspend();
    this.shown = view;
    this.root.dataset.view = view;
    this.root.dataset.kind = kind;
    if (view === "work") return;
    this.stage.empty();
    this.stage.submitted = null;
    this.round.index = null;
  }

  header() {
    const { batch } = this.state;
    const done = batch ? `This round ${Math.max(batch.done.length, this.round.same(this.state) ? this.round.done.size : 0)} / ${batch.size}` : "";
    this.view.header(this.state, done);
    this.view.$(".switch").hidden = !(this.state.task && this.config.test_mode && this.shown !== "page");
    this.countdown();
  }

  countdown() {
    const { task } = this.state || {};
    if (!task) { this.view.time(null); return; }
    const { item } = this.stage;
    let spent = 0;
    if (task.clock === "annotation") {
      spent = item && item.counts ? item.clock.elapsed(performance.now()) : 0;
      // what is said and not yet heard of costs time too
      for (const m of this.server.outbox.messages()) if (m.type === "annotated" && m.position === task.position) spent += m.seconds * 1000;
    } else if (!this.state.paused && !this.view.rest.open) spent = performance.now() - this.received;
    const left = task.over ? 0 : task.seconds_left - spent / 1000;
    this.view.time(left);
    if (left <= 0 && item && item.counts && this.state.step === "Annotate") this.view.say("Time is up: confirm this image to finish.");
  }

  async tick() {
    while (!this.stopped && this.root.isConnected) {
      await pause(500);
      if (this.state) this.countdown();
      if (this.stage.item && this.stage.ready) this.stage.save();
    }
  }

  attends() { return this.config.show_attention.includes(this.interface); }

  drawn() {
    const { item } = this.stage;
    // in practice the wanted outline goes as soon as one draws by oneself
    if (item && item.wanted && item.wanted.length && !this.state.practice?.helped) item.wanted = [];
    this.preview.changed();
  }

  // -- confirming

  /** @param {{ timeStamp: number }} event @param {boolean} nothing */
  async confirm(event, nothing = false) {
    const { canvas, item } = this.stage;
    const { kind } = this.root.dataset;
    if (!item || !this.stage.ready || kind === "check") return;
    // the second press of a double click is not an answer to an image nobody has seen
    if (item.clock.elapsed(event.timeStamp) < TOO_SOON) return;
    if (nothing) canvas.cancel(event);
    else if (canvas.drawing.open.length >= 3) canvas.close(event);
    else if (canvas.drawing.open.length) {
      this.view.say("The open outline needs three corners: go on, or undo it.", "no");
      return;
    }
    if (kind === "practice" && isEmpty(canvas.drawing)) {
      this.view.say("Mark the object first.", "no");
      return;
    }
    const common = {
      id: newId(), at: this.server.serverTime(event.timeStamp),
      seconds: round4(item.clock.elapsed(event.timeStamp) / 1000),
      annotation: annotationOf(canvas.drawing, item.regions || null),
    };
    if (kind === "practice") {
      const { attempt, helped } = this.state.practice;
      await this.send({ ...common, type: "practised", interface: item.interface, attempt, helped }, event, true);
      return;
    }
    const { position, cycle, images } = this.round.batch;
    const index = /** @type {number} */ (item.index);
    this.round.done.add(index);
    this.gallery.hideReward();
    await this.send({ ...common, type: "annotated", position, cycle, image: images[index], actions: canvas.actions, learnt: item.learnt ?? null }, event, false, item);
  }

  /**
   * Keep it here first, then tell the server; without an answer go on with what we have.
   * @param {any} message @param {{ timeStamp: number }} event
   * @param {boolean} mustAnswer @param {import("./canvas.js").Item | null} item
   */
  async send(message, event, mustAnswer, item = null) {
    const kept = this.server.outbox.put(message);
    let must = mustAnswer;
    // without a place to keep it, only the server can
    const safe = kept.then(() => true, () => { must = true; return false; });
    this.stage.submitted = event.timeStamp;
    this.stage.empty();
    const before = this.state;
    let answer = null;
    for (let tries = 0; !this.stopped; tries += 1) {
      try {
        answer = await Promise.race([this.server.flush(), safe.then(() => pause(1500))]);
        if (answer) { this.offline(false); break; }
      } catch {
        this.offline(true);
        if (!(await safe)) this.view.say("This browser cannot keep what you do. Wait for the connection: nothing is lost.", "no");
        if (must) await pause(patience(tries));
      }
      if (!must) break;
    }
    if (item) this.drafts.drop(item.key);
    if (answer) {
      this.held = answer.held;
      if (before.practice) this.lessons.feedback(before.practice, answer.state);
      const annotates = (/** @type {string} */ step) => ["Annotate", "TuneHead"].includes(step);
      const settled = annotates(answer.state.step) && annotates(before.step);
      if (!settled && answer.state.step !== "FineTune") this.shown = "";
      this.apply(answer.state);
      if (this.shown !== "work" || this.root.dataset.kind !== "batch" || !item) return;
      if (answer.state.step === "FineTune") { this.round.rest(); return; }
    } else if (!item) return;
    if (this.stage.item || this.stage.wanted) return;
    const next = nextOnPage(/** @type {number} */ (item.index), this.round.done, this.round.batch.size, this.round.batch.pageSize);
    if (next === null) this.round.rest();
    else this.round.open(next);
  }

  // -- waiting, looking, resting

  /** @param {any} state */
  showWait(state) {
    this.show("wait");
    this.round.wish = "";
    this.view.wait(state);
  }

  /** @param {string} mode */
  setMode(mode) {
    if (mode === this.mode) return;
    this.mode = mode;
    for (const button of this.view.$(".switch").children) button.setAttribute("aria-pressed", String(button.dataset.do === mode));
    if (mode === "train") {
      this.shown = "";
      this.apply(this.state);
      return;
    }
    this.show("gallery");
    this.gallery.open(this.state.task.position);
  }

  restInside() {
    if (!this.state.task?.rest) return;
    if (this.stage.suspend()) this.shown = "";
    this.resting = { at: performance.now(), number: this.state.task.rest.number, position: this.state.task.position };
    this.view.rest.show();
  }

  /** @param {{ timeStamp: number }} event */
  async goOn(event) {
    const { resting } = this;
    if (!resting) return;
    this.resting = undefined;
    this.view.rest.hide();
    const seconds = round4((event.timeStamp - resting.at) / 1000);
    this.shown = "";
    await this.send({ id: newId(), type: "rested", at: this.server.serverTime(event.timeStamp), seconds: Math.max(seconds, 0), position: resting.position, number: resting.number }, event, true);
  }

  /** @param {{ timeStamp: number }} event */
  satisfied(event) {
    if (!window.confirm("Stop here because the result is satisfactory? The task ends.")) return;
    this.stage.suspend();
    this.shown = "";
    this.send({ id: newId(), type: "satisfied", at: this.server.serverTime(event.timeStamp), seconds: 0, position: this.state.task.position }, event, true);
  }

  /** @param {number} value */
  setOpacity(value) {
    this.stage.setOpacity(value);
    this.store.put("opacity", value).catch(() => {});
  }

  // -- buttons and keys

  /** @param {any} event */
  act(event) {
    if (this.stopped) return;
    const cell = event.target.closest(".grid button");
    if (cell) {
      if (this.root.dataset.kind === "batch") this.round.open(Number(cell.dataset.index));
      return;
    }
    const button = event.target.closest("[data-do]");
    if (!button || button.disabled) return;
    this.do(button.dataset.do, event, button);
    // what Enter means next is the image's, not the button's that was pressed with the mouse
    if (["undo", "redo", "cancel", "zoom-in", "zoom-out", "zoom-whole", "tool-look", "tool-not"].includes(button.dataset.do)) this.view.$(".top").focus({ preventScroll: true });
  }

  /** @param {string} name @param {any} event @param {HTMLElement | null} button */
  do(name, event, button = null) {
    const { canvas } = this.stage;
    if (name in ZOOMS) canvas.zoom(ZOOMS[name]);
    switch (name) {
      case "confirm": this.confirm(event); break;
      case "nothing": if (this.root.dataset.kind === "batch") this.confirm(event, true); break;
      case "undo": canvas.step(event, -1); break;
      case "redo": canvas.step(event, 1); break;
      case "cancel": canvas.cancel(event); break;
      case "cancel-open": canvas.cancel(event, false); break;
      case "close": canvas.close(event); break;
      case "delete": canvas.deleteHovered(event); break;
      case "press": this.pressAtCursor(event, 0); break;
      case "press-other": this.pressAtCursor(event, 2); break;
      case "tool-look": case "tool-not": canvas.tool = name.slice(5); this.view.tool(canvas.tool); break;
      case "next": this.round.next(event); break;
      case "previous-page": this.round.grid.page -= 1; this.round.showGrid(); break;
      case "next-page": this.round.grid.page = Math.min(this.round.grid.page + 1, this.round.grid.pages(this.round.batch) - 1); this.round.showGrid(); break;
      case "attention": this.setOpacity(canvas.opacity > 0 ? 0 : this.config.opacity); break;
      case "train": case "test": this.setMode(name); break;
      case "class": this.gallery.choose(button?.dataset.name || ""); break;
      case "more-maps": this.gallery.next(); break;
      case "rest": this.restInside(); break;
      case "go-on": this.goOn(event); break;
      case "satisfied": this.satisfied(event); break;
      case "help": this.view.fillHelp(this.interface, this.config.hotkeys); this.view.help.show(); break;
      case "close-help": this.view.help.hide(); break;
      case "take": this.take(); break;
      case "leave": this.withdraw(); break;
      default:
    }
  }

  async take() {
    try {
      const answer = await this.server.ask("/api/claim", { take: true });
      await this.store.read();
      this.held = answer.held;
      this.shown = "";
      this.apply(answer.state);
    } catch { this.offline(true); }
  }

  async withdraw() {
    if (!window.confirm("Leave the study for good? What you did so far is kept.")) return;
    try {
      const answer = await this.server.ask("/api/withdraw", { reason: "left by the participant" });
      this.view.help.hide();
      this.apply(answer.state);
    } catch (error) {
      if (/** @type {any} */ (error).status) window.alert(/** @type {Error} */ (error).message);
      else this.offline(true);
    }
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const target = event.composedPath()[0];
    if (target instanceof HTMLElement && (["TEXTAREA", "SELECT"].includes(target.tagName) || (target instanceof HTMLInputElement && target.type !== "range"))) return;
    if (this.view.help.open) {
      if (event.key === "Escape" || event.key === this.config.hotkeys.help) this.view.help.hide();
      return;
    }
    if (this.shown !== "work" || this.view.rest.open || this.view.cover.open) return;
    const { canvas } = this.stage;
    const meant = meaning(event, {
      onButton: target instanceof HTMLElement && target.tagName === "BUTTON",
      onCanvas: target === this.view.$(".top"),
      ready: this.stage.ready, cursor: Boolean(canvas.cursor), open: canvas.drawing.open.length,
      hotkeys: this.config.hotkeys,
    });
    if (!meant) return;
    if (meant.by) canvas.steer(...meant.by);
    else this.do(meant.do, event);
    event.preventDefault();
  }

  /** @param {{ timeStamp: number }} event @param {number} button */
  pressAtCursor(event, button) {
    const { canvas } = this.stage;
    if (canvas.cursor) canvas.pressAt({ timeStamp: event.timeStamp, button }, canvas.cursor, button);
    canvas.drag = null;
  }
}

/** Bring an unanswered question of Streamlit's form into sight. @param {string} key */
async function reveal(key) {
  for (let tries = 0; tries < 20; tries += 1) {
    const place = document.querySelector(`.st-key-${CSS.escape(key)}`);
    if (place) {
      const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      place.scrollIntoView({ block: "center", behavior: calm ? "auto" : "smooth" });
      const field = /** @type {HTMLElement | null} */ (place.querySelector("input, textarea, [role=slider]"));
      if (field) field.focus({ preventScroll: true });
      return;
    }
    await pause(100);
  }
}
