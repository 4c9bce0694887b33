// @ts-check
// The participant's workspace: what the server's state asks for is shown, and who does what is
// put together here. It talks to the routes of apps/web/routes.py, not to Streamlit: a click makes
// no round trip, and a slow script run delays nobody. Streamlit is told only when another page is
// due.

import { newId, pause } from "./clock.js";
import { Confirmation } from "./confirmation.js";
import { Connection } from "./connection.js";
import { Controls } from "./controls.js";
import { Drafts } from "./drafts.js";
import { due, secondsLeft, tunes } from "./due.js";
import { environment, tooSmall } from "./environment.js";
import { Gallery } from "./gallery.js";
import { Layers } from "./layers.js";
import { Lessons } from "./lessons.js";
import { Onward } from "./onward.js";
import { Outbox } from "./outbox.js";
import { Preview } from "./preview.js";
import { Rests } from "./rests.js";
import { Glimpse } from "./glimpse.js";
import { reveal } from "./reveal.js";
import { Round } from "./round.js";
import { Server } from "./server.js";
import { Stage } from "./stage.js";
import { Store, nameOf } from "./store.js";
import { load } from "./tools.js";
import { View } from "./view.js";
import { N, language, speak, t, translate } from "./words.js";

const ALONE = N("Somebody has this study open in another tab or window. Only one of them can be used at a time.");
const PAUSED = N("The experimenter has paused the study. Please wait; nothing is lost.");

/** @typedef {{ token: string, base: string, page: string, reveal?: [string, number] | null, onward?: string | null, config: any, language: { code: string, words: Record<string, string> } }} Data */

export class Workspace {
  /** @param {HTMLElement} root @param {Data} data @param {(name: string, value: any) => void} trigger */
  constructor(root, data, trigger) {
    this.root = root;
    this.data = data;
    this.config = data.config;
    this.trigger = trigger;
    this.speak();
    this.view = new View(root);
    /** @type {any} the server's last state */
    this.state = null;
    this.received = 0;
    /** the view that is shown; "" has it shown anew */
    this.shown = "";
    this.mode = "train";
    this.interface = "";
    this.stopped = false;
    this.told = 0;
    this.looked = false;
    /** @type {string | null} why the window is too small */
    this.small = null;
    this.gone = new AbortController();
    this.store = new Store();
    this.drafts = new Drafts(this.store);
    this.server = new Server(data, new Outbox(this.store));
    this.connection = new Connection(this.server, this.store, this.view, {
      heard: (state) => this.apply(state),
      waiting: () => this.shown === "wait",
      stopped: () => this.stopped,
    });
    this.stage = new Stage(this.view, this.drafts, () => this.drawn());
    this.layers = new Layers((path, query) => this.server.url(path, query), (layer) => {
      if (!this.stage.item || this.stage.item.layers !== layer) return;
      this.stage.item.regions = layer.regions;
      this.stage.canvas.paintBase();
    });
    this.gallery = new Gallery(this.view, this.server);
    this.round = new Round(this);
    this.lessons = new Lessons(this);
    this.glimpse = new Glimpse(this);
    this.preview = new Preview(this);
    this.confirmation = new Confirmation(this);
    this.rests = new Rests(this);
    this.onward = new Onward();
    this.controls = new Controls(this);
    this.start();
  }

  speak() {
    const { code, words } = this.data.language;
    speak(code, words);
    translate(this.root);
    document.documentElement.lang = code;
  }

  async start() {
    await Promise.all([load(Object.keys(this.config.interfaces)), this.store.open(await nameOf(this.data.token))]);
    if (this.stopped) return;
    this.listen();
    this.stage.setOpacity(this.store.get("opacity") ?? this.config.opacity);
    if (!(await this.connection.open())) return;
    this.tick();
    await this.connection.beat();
    this.stop();
  }

  listen() {
    const { signal } = this.gone;
    this.root.addEventListener("click", (event) => this.controls.act(event), { signal });
    this.root.addEventListener("pointerdown", (event) => { if (event.pointerType !== "mouse") this.root.dataset.touch = "yes"; }, { signal });
    this.view.$(".opacity input").addEventListener("input", (/** @type {any} */ event) => this.setOpacity(event.target.value / 100), { signal });
    this.view.$(".brush input").addEventListener("input", (/** @type {any} */ event) => {
      const { canvas } = this.stage;
      canvas.resize(event.target.value / 100 / canvas.size);
    }, { signal });
    window.addEventListener("keydown", (event) => this.controls.key(event), { signal });
    window.addEventListener("resize", () => this.resized(), { signal });
    window.addEventListener("blur", (event) => this.stage.look(event, false), { signal });
    window.addEventListener("focus", (event) => this.stage.look(event, true), { signal });
    document.addEventListener("visibilitychange", (event) => this.stage.look(event, document.visibilityState === "visible"), { signal });
    window.addEventListener("pagehide", () => { this.stage.save(); this.server.release(); }, { signal });
    window.addEventListener("online", () => this.connection.refresh(), { signal });
  }

  /** @param {Data} data */
  update(data) {
    const revealed = this.data.reveal;
    this.data = data;
    this.config = data.config;
    this.told = 0;
    if (data.language.code !== language()) this.speak();
    if (data.reveal && (!revealed || revealed[1] !== data.reveal[1])) reveal(data.reveal[0]);
    if (this.state) this.connection.refresh();
  }

  stop() {
    if (this.stopped) return;
    this.stopped = true;
    this.stage.save();
    this.stage.canvas.enabled = false;
    this.layers.stopped = true;
    this.gone.abort();
  }

  // -- what the server says

  /** @param {any} state */
  apply(state) {
    if (this.stopped) return;
    this.state = state;
    this.received = performance.now();
    this.header();
    if (state.page !== "consent" && !state.page.startsWith("done")) this.look();
    this.small = tooSmall(this.config.smallest_window, window);
    const view = due(state, { held: this.connection.held, page: this.data.page, mode: this.mode, resting: this.view.rest.open, small: Boolean(this.small) });
    if (view === "small") {
      this.view.covered(t("This window is too small"), this.small || "");
      if (this.stage.suspend()) this.shown = "";
      // another page may be due behind it
      if (state.page !== this.data.page) this.leave(state);
      return;
    }
    if (view === "elsewhere" || view === "paused") {
      this.view.covered(view === "paused" ? t("Paused") : t("Open somewhere else"), view === "paused" ? t(PAUSED) : t(ALONE), view === "elsewhere");
      if (this.stage.suspend()) this.shown = "";
      return;
    }
    this.view.covered(null);
    if (view === "page") this.leave(state);
    if (view === "page" || view === "stay") return;
    if (tunes(state) && this.round.wish === this.round.nameOf(state)) this.round.tune();
    if (view === "check") this.lessons.showCheck(state);
    else if (view === "practice") this.lessons.showPractice(state);
    else if (view === "glimpse") this.glimpse.show(state);
    else if (view === "batch") this.round.showBatch(state);
    else this.showWait(state);
  }

  resized() {
    const small = tooSmall(this.config.smallest_window, window);
    // the server's times are as old as its state: ask anew rather than apply that again
    if (this.state && Boolean(small) !== Boolean(this.small)) this.connection.refresh();
  }

  /** Say once what the study is seen with, as soon as anything may be recorded. */
  look() {
    if (this.looked || !this.connection.held || !this.config.environment) return;
    this.looked = true;
    const at = this.server.serverTime(performance.now());
    environment().then((found) => this.server.outbox.put({ id: newId(), type: "environment", at, environment: found })).catch(() => {});
  }

  /** Another page is Streamlit's. @param {any} state */
  leave(state) {
    // a trigger that is sent while Streamlit is disconnected is lost: say it again
    if (state.page !== this.data.page && (!this.told || performance.now() - this.told > 3000)) {
      this.told = performance.now();
      this.trigger("advance", `${state.page}@${Math.round(this.told)}`);
    }
    if (state.page.startsWith("done") && !this.server.outbox.messages().length) {
      this.store.forget().catch(() => {});
      this.onward.to(this.data.onward);
    }
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

  /** @param {any} state */
  showWait(state) {
    this.show("wait");
    this.round.wish = "";
    this.view.wait(state);
  }

  header() {
    const { batch } = this.state;
    const done = batch ? t("This round {done} / {of}", { done: Math.max(batch.done.length, this.round.same(this.state) ? this.round.done.size : 0), of: batch.size }) : "";
    this.view.header(this.state, done);
    this.view.$(".switch").hidden = !(this.state.task && this.config.test_mode && this.shown !== "page");
    this.countdown();
  }

  countdown() {
    const { item } = this.stage;
    const left = secondsLeft(this.state, {
      messages: this.server.outbox.messages(),
      elapsed: item && item.counts ? item.clock.elapsed(performance.now()) : 0,
      since: performance.now() - this.received, still: this.view.rest.open,
    });
    this.view.time(left);
    if (left !== null && left <= 0 && item && item.counts && this.state.step === "Annotate") this.view.say(t("Time is up: confirm this image to finish."));
  }

  async tick() {
    while (!this.stopped && this.root.isConnected) {
      await pause(500);
      if (this.state) this.countdown();
      if (this.stage.item && this.stage.ready) this.stage.save();
    }
  }

  /** What the present interface says. @returns {import("./view.js").Words} */
  get words() { return this.config.interfaces[this.interface]; }

  /** @param {string} name */
  attends(name = this.interface) { return this.config.show_attention.includes(name); }

  drawn() {
    const { item } = this.stage;
    // in practice the wanted outline goes as soon as one draws by oneself
    if (item && item.wanted && item.wanted.length && !this.state.practice?.helped) item.wanted = [];
    this.preview.changed();
  }

  // -- what the person chooses

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

  /** @param {number} value */
  setOpacity(value) {
    this.stage.setOpacity(value);
    this.store.put("opacity", value).catch(() => {});
  }

  async take() {
    const state = await this.connection.take();
    if (!state) return;
    this.shown = "";
    this.apply(state);
  }

  /** @param {boolean} erase whether what was done is to be erased */
  async withdraw(erase) {
    try {
      const answer = await this.server.ask("/api/withdraw", { reason: "left by the participant", erase });
      this.view.leaving.hide();
      this.apply(answer.state);
    } catch (error) {
      this.view.leaving.hide();
      if (/** @type {any} */ (error).status) window.alert(t("You cannot leave now. Reload the page and try again."));
      else this.connection.lost(true);
    }
  }
}
