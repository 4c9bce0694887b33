// The participant's header and workspace. It talks to the routes of apps/web/routes.py, not to
// Streamlit: a click makes no round trip, and a slow script run delays nobody. Streamlit is told
// only when another page is due.
//
// drawing.js, keeping.js, server.js and canvas.js come before this file in one module (see __init__.py).

const LEGEND = {
  click: [["Left click", "look here"], ["Right click", "do not look at this region"], ["Middle click", "clear this image"]],
  polygon: [["Click", "next corner"], ["First corner or Enter", "close the outline"], ["Drag a corner", "move it"], ["Right click a corner", "delete it"]],
};
const TOO_SOON = 200;
const ALONE = "Somebody has this study open in another tab or window. Only one of them can be used at a time.";

class Workspace {
  constructor(root, data, trigger) {
    this.root = root;
    this.trigger = trigger;
    this.$ = (selector) => root.querySelector(selector);
    this.name = `clickstudy/${data.token}`;
    this.server = new Server(data);
    this.done = new Set();
    this.layers = new Map();
    this.batch = null;
    this.index = null;
    this.shownPage = 0;
    this.mode = "train";
    this.held = null;
    this.away = false;
    this.canvas = new Canvas(this.$(".base"), this.$(".top"), () => this.drawn(), (text) => this.say(text));
    this.update(data);
    root.addEventListener("click", (event) => this.act(event));
    this.$(".opacity input").addEventListener("input", (event) => this.setOpacity(event.target.value / 100));
    this.onKey = (event) => this.key(event);
    window.addEventListener("keydown", this.onKey);
    this.onAway = (event) => this.look(event, false);
    this.onBack = (event) => this.look(event, true);
    window.addEventListener("blur", this.onAway);
    window.addEventListener("focus", this.onBack);
    this.onVisible = (event) => this.look(event, document.visibilityState === "visible");
    document.addEventListener("visibilitychange", this.onVisible);
    this.onHide = () => this.leavePage();
    window.addEventListener("pagehide", this.onHide);
    const stored = Number(localStorage.getItem("clickstudy/opacity"));
    this.setOpacity(Number.isFinite(stored) && localStorage.getItem("clickstudy/opacity") !== null ? stored : data.config.opacity);
    this.boot();
  }

  update(data) {
    this.data = data;
    this.config = data.config;
    this.told = null;
    if (this.state) this.refresh();
  }

  stop() {
    if (this.stopped) return;
    this.saveDraft();
    this.canvas.enabled = false;
    window.removeEventListener("keydown", this.onKey);
    window.removeEventListener("blur", this.onAway);
    window.removeEventListener("focus", this.onBack);
    document.removeEventListener("visibilitychange", this.onVisible);
    window.removeEventListener("pagehide", this.onHide);
    this.stopped = true;
  }

  // -- talking to the server

  async boot() {
    for (;;) {
      if (this.stopped) return;
      try {
        const claimed = await this.server.ask("/api/claim", {});
        this.held = claimed.held;
        const flushed = this.held ? await this.server.flush() : null;
        this.apply((flushed || claimed).state);
        break;
      } catch (error) {
        if (error.status === 403) return;
        this.offline(true);
        await pause(1000);
      }
    }
    this.beat();
    this.tick();
  }

  // a heartbeat: renews the lease, sends what is left over, sees what the experimenter did
  async beat() {
    while (!this.stopped && this.root.isConnected) {
      await pause(this.view === "wait" || !this.online ? 1000 : 4000);
      await this.refresh();
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

  offline(is) {
    this.online = !is;
    const waiting = this.server.outbox.messages().length;
    this.fact("net", is ? `No connection${waiting ? `: ${waiting} saved here` : ""}` : "");
  }

  leavePage() {
    this.saveDraft();
    this.server.release();
  }

  // -- what the server says

  apply(state) {
    this.state = state;
    this.received = performance.now();
    this.header();
    const covered = !this.held || state.paused;
    if (covered) {
      this.cover(this.held ? "Paused" : "Open somewhere else", this.held ? "The experimenter has paused the study. Please wait; nothing is lost." : ALONE, !this.held);
      this.suspend();
      return;
    }
    this.cover(null);
    if (state.page !== this.data.page) {
      // a trigger that is sent while Streamlit is disconnected is lost: say it again
      if (!this.told || performance.now() - this.told > 3000) {
        this.told = performance.now();
        this.trigger("advance", `${state.page}@${Math.round(this.told)}`);
      }
      this.show("page");
      return;
    }
    if (state.page !== "workspace") {
      this.show("page");
      return;
    }
    if (this.mode === "test") return;
    if (state.check) this.showCheck(state);
    else if (state.practice) this.showPractice(state);
    else if (state.step === "Annotate" || (state.step === "FineTune" && !(state.job && state.job.state !== "none"))) this.showBatch(state);
    else this.showWait(state);
  }

  show(view, kind = "") {
    if (this.view === view && this.kind === kind) return;
    if (view !== "work") this.suspend();
    this.view = view;
    this.kind = kind;
    this.root.dataset.view = view;
    this.root.dataset.kind = kind;
    if (view === "work") return;
    this.canvas.clear();
    this.canvas.enabled = false;
    this.index = null;
    this.shownKey = null;
    this.submitted = null;
    delete this.root.dataset.shown;
  }

  header() {
    const { place, task, batch } = this.state;
    this.$(".stages").replaceChildren(...place.stages.map((name, i) => {
      const item = document.createElement("li");
      item.textContent = name;
      item.className = i < place.current ? "done" : i === place.current ? "now" : "";
      item.title = name;
      if (i === place.current) item.setAttribute("aria-current", "step");
      return item;
    }));
    const percent = Math.round(place.share * 100);
    this.$(".track i").style.width = `${percent}%`;
    this.$(".track").setAttribute("aria-valuenow", percent);
    this.fact("cycle", batch ? `This round ${Math.max(batch.done.length, this.sameBatch(batch) ? this.done.size : 0)} / ${batch.size}` : "");
    this.fact("task", task ? `Task ${task.images}${task.budget ? ` / ${task.budget}` : ""} images` : "");
    this.fact("model", task && task.tuned ? `Fine-tuned ${task.tuned}×` : "");
    this.$(".switch").hidden = !(task && this.config.test_mode && this.view !== "page");
    this.countdown();
  }

  countdown() {
    const { task } = this.state || {};
    if (!task) { this.fact("time", ""); return; }
    const item = this.canvas.item;
    const spent = task.clock === "annotation"
      ? (item && item.counts ? item.clock.elapsed(performance.now()) : 0)
      : (this.state.paused ? 0 : performance.now() - this.received);
    const left = task.over ? 0 : task.seconds_left - spent / 1000;
    this.fact("time", left > 0 ? `${clock(left)} left` : "Time is up");
    this.$('[data-fact="time"]').classList.toggle("low", left < 60);
    if (left <= 0 && item && item.counts && this.state.step === "Annotate") this.say("Time is up: confirm this image to finish.");
  }

  fact(name, text) {
    const element = this.$(`[data-fact="${name}"]`);
    if (element.textContent !== text) element.textContent = text;
  }

  say(text, tone = "") {
    const element = this.$(".said");
    if (element.textContent !== text) element.textContent = text;
    element.className = `said ${tone}`;
  }

  cover(title, text = "", canTake = false) {
    const cover = this.$(".cover");
    cover.hidden = !title;
    if (!title) return;
    cover.querySelector("h2").textContent = title;
    cover.querySelector("p").textContent = text;
    cover.querySelector("button").hidden = !canTake;
  }

  async tick() {
    while (!this.stopped && this.root.isConnected) {
      await pause(500);
      if (this.state) this.countdown();
      if (this.canvas.item && this.canvas.enabled) this.saveDraft();
    }
  }

  // -- the batch

  batchName(state) { return `${state.task.position}/${state.batch.cycle}`; }

  sameBatch(batch) { return this.batch && this.state.task && this.batch.name === `${this.state.task.position}/${batch.cycle}`; }

  async showBatch(state) {
    const name = this.batchName(state);
    if (!this.batch || this.batch.name !== name) {
      if (this.loading === name) return;
      this.loading = name;
      try {
        const batch = await this.server.ask("/api/batch");
        if (`${batch.position}/${batch.cycle}` !== name) return;
        this.batch = { ...batch, name };
        this.done = new Set();
        this.layers.clear();
        this.gridFor = null;
      } catch {
        await pause(500);
        return;
      } finally {
        this.loading = null;
      }
      // the answer took a while: what is due may be something else by now
      this.apply(this.state);
      return;
    }
    state.batch.done.forEach((index) => this.done.add(index));
    this.server.outbox.messages().forEach((m) => {
      if (m.type === "annotated" && `${m.position}/${m.cycle}` === name) this.done.add(this.batch.images.indexOf(m.image));
    });
    const arrived = this.view !== "work" || this.kind !== "batch";
    this.show("work", "batch");
    this.interface = state.task.interface;
    this.legend();
    const left = firstLeft(this.done, state.batch.size);
    if (arrived) {
      this.say("");
      const kept = Number(localStorage.getItem(`${this.name}/current/${name}`) ?? NaN);
      const resumed = Number.isInteger(kept) && kept < state.batch.size && this.readDraft(`${name}/${kept}`, this.done.has(kept));
      const first = resumed ? kept : left;
      this.shownPage = Math.floor((first ?? 0) / state.batch.page_size);
      if (first === null || state.task.over) this.rest();
      else this.open(first);
    }
    this.grid();
  }

  grid() {
    const { batch } = this.state;
    const size = batch.page_size;
    const pages = Math.ceil(batch.size / size);
    const first = this.shownPage * size;
    const count = Math.min(size, batch.size - first);
    const key = `${this.batch.name}/${this.shownPage}`;
    const grid = this.$(".grid");
    if (this.gridFor !== key) {
      this.gridFor = key;
      grid.style.setProperty("--columns", String(Math.max(4, Math.ceil(Math.sqrt(count)))));
      grid.replaceChildren(...Array.from({ length: count }, (_, i) => {
        const cell = document.createElement("button");
        const image = document.createElement("img");
        cell.type = "button";
        cell.dataset.index = String(first + i);
        image.loading = "lazy";
        image.alt = "";
        image.src = this.server.url(`/stimuli/image/${this.batch.name}/${first + i}`);
        cell.append(image);
        return cell;
      }));
    }
    for (const cell of grid.children) {
      const index = Number(cell.dataset.index);
      const done = this.done.has(index);
      cell.className = `${done ? "done" : ""} ${index === this.index ? "now" : ""}`;
      cell.setAttribute("aria-label", `Image ${index + 1}${done ? ", done" : ""}`);
    }
    this.$(".page").textContent = pages > 1 ? `Page ${this.shownPage + 1} of ${pages}` : "";
    this.$('[data-do="previous-page"]').hidden = pages < 2;
    this.$('[data-do="next-page"]').hidden = pages < 2;
    this.$('[data-do="previous-page"]').disabled = this.shownPage === 0;
    this.$('[data-do="next-page"]').disabled = this.shownPage >= pages - 1;
    const all = this.done.size >= batch.size || this.state.step === "FineTune";
    const next = this.$('[data-do="next"]');
    next.textContent = all ? "FINE-TUNE" : "NEXT";
    next.disabled = all ? this.state.step !== "FineTune" : !this.pageDone();
    this.fact("cycle", `This round ${this.done.size} / ${batch.size}`);
    this.buttons();
  }

  pageDone() {
    const { batch } = this.state;
    const end = Math.min((this.shownPage + 1) * batch.page_size, batch.size);
    for (let i = this.shownPage * batch.page_size; i < end; i += 1) if (!this.done.has(i)) return false;
    return true;
  }

  // an image and what lies over it, decoded; kept for the next ones, so that they show at once
  fetchLayers(key, paths) {
    if (!this.layers.has(key)) {
      const loading = Promise.all([decoded(this.server.url(paths.image)), paths.overlay ? decoded(this.server.url(paths.overlay)) : null]);
      const layers = { loading, regions: null };
      loading.catch(() => this.layers.delete(key));
      if (paths.regions) this.fetchRegions(layers, paths.regions);
      this.layers.set(key, layers);
    }
    return this.layers.get(key);
  }

  async fetchRegions(layers, path) {
    for (let tries = 0; tries < 60 && !this.stopped; tries += 1) {
      try {
        const response = await fetch(this.server.url(path));
        if (response.ok) {
          layers.regions = unpackRegions(await response.arrayBuffer());
          if (this.canvas.item && this.canvas.item.layers === layers) {
            this.canvas.item.regions = layers.regions;
            this.canvas.paintBase();
          }
          return;
        }
      } catch { /* offline: again */ }
      await pause(1000);
    }
  }

  layersOf(index) {
    const name = `${this.batch.name}/${index}`;
    const shows = this.config.show_attention.includes(this.interface);
    return this.fetchLayers(name, {
      image: `/stimuli/image/${name}`,
      overlay: shows && `/stimuli/overlay/${name}`,
      regions: this.interface === "click" && `/stimuli/regions/${name}`,
    });
  }

  preload(index) {
    let next = index;
    for (let i = 0; i < 4; i += 1) {
      next = nextOnPage(next, new Set([...this.done, index]), this.state.batch.size, this.state.batch.page_size);
      if (next === null || next === index) return;
      this.layersOf(next);
    }
  }

  async open(index) {
    this.suspend();
    this.index = index;
    localStorage.setItem(`${this.name}/current/${this.batch.name}`, String(index));
    const name = this.batch.name;
    const again = this.done.has(index);
    const draft = this.readDraft(`${name}/${index}`, again);
    const item = {
      key: `${name}/${index}`, index, again, interface: this.interface, counts: true,
      clock: new ItemClock(draft ? draft.elapsed : 0),
    };
    this.$(".prompt").innerHTML = this.interface === "click" ? "Where should the computer look to see: <b></b>" : "Outline what shows that this is: <b></b>";
    this.$(".prompt b").textContent = this.batch.labels[index];
    this.grid();
    let confirmed = null;
    if (this.done.has(index) && !draft) {
      try {
        confirmed = await this.server.ask("/api/annotation", null, { position: this.batch.position, cycle: this.batch.cycle, index });
      } catch { confirmed = null; }
      if (this.index !== index) return;
    }
    const layers = this.layersOf(index);
    if (confirmed && confirmed.negative_regions.length) {
      for (let i = 0; i < 40 && !layers.regions; i += 1) await pause(100);
    }
    const drawing = draft ? draft.drawing : confirmed ? drawingOf(confirmed, layers.regions) : emptyDrawing();
    await this.present(item, () => this.layersOf(index), drawing, draft ? draft.actions : []);
    this.preload(index);
  }

  // paint, wait until it is on the screen, and start the clock
  async present(item, layersOf, drawing, actions) {
    const wanted = item.key;
    this.shownKey = wanted;
    this.canvas.enabled = false;
    this.canvas.clear();
    delete this.root.dataset.shown;
    this.buttons();
    const slow = setTimeout(() => { if (this.shownKey === wanted) this.$(".note").textContent = "Loading…"; }, 300);
    for (;;) {
      const layers = layersOf();
      try {
        const [image, overlay] = await layers.loading;
        if (this.shownKey !== wanted) { clearTimeout(slow); return; }
        Object.assign(item, { image, overlay, layers, regions: layers.regions });
        break;
      } catch {
        if (this.shownKey !== wanted) { clearTimeout(slow); return; }
        this.$(".note").textContent = "Waiting for the connection…";
        await pause(1000);
        if (this.shownKey !== wanted) { clearTimeout(slow); return; }
      }
    }
    clearTimeout(slow);
    this.$(".note").textContent = "";
    this.canvas.load(item, drawing, actions);
    this.canvas.target = item.target || null;
    await frame();
    await frame();
    if (this.shownKey !== wanted) return;
    const onset = performance.now();
    item.clock.start(onset);
    this.canvas.enabled = true;
    this.root.dataset.shown = item.key;
    this.$(".top").focus({ preventScroll: true });
    if (this.submitted) {
      performance.measure("clickstudy:next", { start: this.submitted, end: onset });
      this.submitted = null;
    }
    if (!document.hasFocus() && !this.away) this.look({ timeStamp: onset }, false);
    this.buttons();
  }

  // nothing is open: the page, or the batch, is done
  rest() {
    this.shownKey = null;
    this.index = null;
    this.canvas.clear();
    this.canvas.enabled = false;
    const all = this.done.size >= this.state.batch.size || this.state.step === "FineTune";
    this.$(".prompt").textContent = "";
    this.$(".note").textContent = all
      ? "All images of this round are done. Look at any of them again, or press FINE-TUNE."
      : "This page is done. Press NEXT for the next images.";
    if (this.state.task.over) this.$(".note").textContent = "This task is over. Press FINE-TUNE to finish it.";
    this.grid();
    this.$('[data-do="next"]').focus({ preventScroll: true });
  }

  drawn() {
    this.saveDraft();
    this.buttons();
    this.say("");
  }

  buttons() {
    const ready = this.canvas.enabled && this.kind !== "check";
    const set = (name, on) => { this.$(`[data-do="${name}"]`).disabled = !on; };
    set("undo", ready && this.canvas.canUndo);
    set("redo", ready && this.canvas.canRedo);
    set("cancel", ready && !isEmpty(this.canvas.drawing));
    set("nothing", ready && this.kind === "batch");
    set("confirm", ready);
    this.$(".top").classList.toggle("busy", !this.canvas.enabled);
  }

  legend() {
    this.$(".legend").innerHTML = LEGEND[this.interface].map(([what, why]) => `<li><b>${what}</b>: ${why}</li>`).join("");
    this.$(".opacity").hidden = !this.config.show_attention.includes(this.interface);
  }

  setOpacity(value) {
    this.canvas.opacity = value;
    this.$(".opacity input").value = String(Math.round(value * 100));
    localStorage.setItem("clickstudy/opacity", String(value));
    this.canvas.paintBase();
  }

  // -- drafts: what is drawn and not confirmed, and the time it took

  // A crash can bring back an old localStorage, with the draft of what was confirmed since: a draft
  // of a confirmed image counts only when it was begun after the confirmation.
  readDraft(key, isDone) {
    const text = localStorage.getItem(`${this.name}/draft/${key}`);
    const draft = text ? JSON.parse(text) : null;
    return draft && draft.again === isDone ? draft : null;
  }

  saveDraft() {
    const item = this.canvas.item;
    if (!item || !item.counts || !this.canvas.enabled) return;
    const draft = { again: Boolean(item.again), elapsed: item.clock.elapsed(performance.now()), drawing: this.canvas.drawing, actions: this.canvas.actions };
    localStorage.setItem(`${this.name}/draft/${item.key}`, JSON.stringify(draft));
  }

  // stop the clock of the open item and keep what there is
  suspend() {
    const item = this.canvas.item;
    if (!item || !this.canvas.enabled) return;
    this.saveDraft();
    item.clock.stop(performance.now());
    this.canvas.enabled = false;
    delete this.root.dataset.shown;
    this.buttons();
    this.shownKey = null;
    if (this.view === "work") { this.view = null; }
  }

  look(event, here) {
    if (this.away === !here) return;
    this.away = !here;
    if (this.canvas.item && this.canvas.enabled && this.canvas.item.counts) this.canvas.log(event, here ? "focus" : "blur");
  }

  // -- confirming

  async confirm(event, nothing = false) {
    const item = this.canvas.item;
    if (!item || !this.canvas.enabled || this.kind === "check") return;
    // the second press of a double click is not an answer to an image nobody has seen
    if (item.clock.elapsed(event.timeStamp) < TOO_SOON) return;
    if (nothing) this.canvas.cancel(event);
    else if (this.canvas.drawing.open.length >= 3) this.canvas.close(event);
    else if (this.canvas.drawing.open.length) {
      this.say("The open outline needs three corners: go on, or undo it.", "no");
      return;
    }
    if (this.kind === "practice" && isEmpty(this.canvas.drawing)) {
      this.say("Mark the object first.", "no");
      return;
    }
    const common = {
      id: newId(), at: this.server.serverTime(event.timeStamp),
      seconds: round4(item.clock.elapsed(event.timeStamp) / 1000),
      annotation: annotationOf(this.canvas.drawing, item.regions),
    };
    if (this.kind === "practice") {
      const { attempt } = this.state.practice;
      this.send({ ...common, type: "practised", interface: item.interface, attempt }, event, true);
      return;
    }
    const { position, cycle } = this.batch;
    const message = { ...common, type: "annotated", position, cycle, image: this.batch.images[item.index], actions: this.canvas.actions };
    this.done.add(item.index);
    await this.send(message, event, false, item);
  }

  // keep it here first, then tell the server; without an answer go on with what we have
  async send(message, event, mustAnswer, item = null) {
    this.canvas.enabled = false;
    this.server.outbox.put(message);
    if (item) localStorage.removeItem(`${this.name}/draft/${item.key}`);
    this.submitted = event.timeStamp;
    this.canvas.clear();
    delete this.root.dataset.shown;
    this.shownKey = null;
    this.buttons();
    const step = this.state;
    let answer = null;
    do {
      try {
        answer = await Promise.race([this.server.flush(), pause(1500)]);
        if (answer) this.offline(false);
      } catch {
        this.offline(true);
        if (mustAnswer) await pause(1000);
      }
    } while (mustAnswer && !answer && !this.stopped);
    if (answer) {
      this.held = answer.held;
      const before = step.practice;
      const settled = answer.state.step === "Annotate" && step.step === "Annotate";
      if (before) this.feedback(before, answer.state);
      if (!settled) { this.submittedStep = answer.state.step; if (answer.state.step !== "FineTune") this.view = null; }
      this.apply(answer.state);
      if (this.view !== "work" || this.kind !== "batch" || !item) return;
      if (answer.state.step === "FineTune") { this.rest(); return; }
    } else if (!item) return;
    if (this.canvas.item || this.shownKey) return;
    const next = nextOnPage(item.index, this.done, this.state.batch.size, this.state.batch.page_size);
    if (next === null) this.rest();
    else this.open(next);
  }

  // -- practice and attention checks

  feedback(before, state) {
    const now = state.practice;
    const right = !now || now.interface !== before.interface || now.done > before.done;
    if (right) this.say("Correct.", "yes");
    else if (before.interface === "click") this.say("Not yet: every left click must be on the object. Try this one.", "no");
    else this.say("Not yet: follow the object's outline more closely. Try this one.", "no");
  }

  async showPractice(state) {
    const { practice } = state;
    if (!practice.label) {
      this.showWait({ ...state, preparing: practice.preparing });
      return;
    }
    const key = `practice/${practice.interface}/${practice.attempt}`;
    if (this.shownKey === key) return;
    this.show("work", "practice");
    this.interface = practice.interface;
    this.legend();
    this.index = null;
    this.$(".prompt").innerHTML = practice.interface === "click" ? "Practice: left-click the <b></b>" : "Practice: outline the <b></b>";
    this.$(".prompt b").textContent = `${practice.label} (${practice.done} of ${practice.items} done)`;
    const shows = this.config.show_attention.includes(practice.interface);
    const item = { key, interface: practice.interface, clock: new ItemClock() };
    await this.present(item, () => this.fetchLayers(key, {
      image: `/stimuli/${key}/image`,
      overlay: shows && `/stimuli/${key}/overlay`,
      regions: practice.interface === "click" && `/stimuli/${key}/regions`,
    }), emptyDrawing(), []);
  }

  async showCheck(state) {
    const key = `check/${state.task.position}/${state.check.number}`;
    if (this.shownKey === key) return;
    this.show("work", "check");
    this.$(".prompt").textContent = "Attention check: click inside the blue ring";
    const item = {
      key, interface: "click", clock: new ItemClock(),
      target: { point: state.check.target, radius: state.check.radius },
      onPress: (event, point) => this.check(event, point, state, item),
    };
    await this.present(item, () => ({ loading: Promise.resolve([null, null]), regions: null }), emptyDrawing(), []);
  }

  check(event, point, state, item) {
    if (event.button) return;
    this.send({
      id: newId(), type: "checked", at: this.server.serverTime(event.timeStamp),
      seconds: round4(item.clock.elapsed(event.timeStamp) / 1000),
      position: state.task.position, number: state.check.number, point,
    }, event, true);
  }

  // -- waiting and looking

  showWait(state) {
    this.show("wait");
    const { job } = state;
    const wait = this.$(".wait");
    let title = "One moment";
    let text = "";
    let share = 0;
    if (state.preparing) {
      title = "The study is being prepared";
      const [done, total] = state.preparing.split("/").map(Number);
      text = total ? `Training the first model: ${done} of ${total}.` : "This is done once.";
      share = total ? done / total : 0;
    } else if (job && job.state === "failed") {
      title = "Something went wrong with the computer";
      text = "The experimenter has been told. Please wait; nothing you did is lost.";
    } else if (job) {
      title = { FineTune: "Fine-tuning on your annotations", Select: "Choosing the next images", Evaluate: "Testing the model" }[job.step] || title;
      share = job.total ? job.done / job.total : 0;
      if (job.state === "queued") text = job.ahead ? `${job.ahead} before you. You can rest your eyes meanwhile.` : "Starts in a moment.";
      else if (!job.total) text = "This takes a moment.";
      else text = `${job.done} of ${job.total}${job.seconds_left === null ? "" : `, about ${clock(job.seconds_left)} left`}`;
    }
    wait.querySelector("h2").textContent = title;
    wait.querySelector("p").textContent = text;
    wait.querySelector(".track i").style.width = `${Math.round(share * 100)}%`;
    this.fact("model", job && job.step === "FineTune" && job.total ? `Fine-tuning ${Math.round(share * 100)}%` : "");
  }

  async setMode(mode) {
    if (mode === this.mode) return;
    this.mode = mode;
    this.root.querySelectorAll(".switch button").forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.do === mode)));
    if (mode === "train") {
      this.view = null;
      this.apply(this.state);
      return;
    }
    this.show("gallery");
    const summary = this.$(".summary");
    summary.textContent = "Loading…";
    try {
      const position = this.state.task.position;
      const found = await this.server.ask("/api/gallery", null, { position });
      const percent = (value) => (value === null ? "–" : `${Math.round(value * 100)}%`);
      const lines = Object.entries(found.accuracy).map(([kind, [first, last]]) => (found.cycle
        ? `<span>Right on ${kind}: <b>${percent(first)}</b> before, <b>${percent(last)}</b> after</span>`
        : `<span>Right on ${kind}: <b>${percent(first)}</b></span>`));
      const explained = found.cycle
        ? `Left: before fine-tuning. Right: after ${found.tuned} round${found.tuned === 1 ? "" : "s"}.`
        : "The model has not been fine-tuned yet.";
      summary.innerHTML = `${lines.join("")}<span>${explained}</span>`;
      this.$(".maps").replaceChildren(...found.labels.map((label, i) => pairOfMaps(label, found, i, (path) => this.server.url(path), position)));
    } catch (error) {
      summary.textContent = `Not available: ${error.message}.`;
    }
  }

  // -- buttons and keys

  act(event) {
    if (this.stopped) return;
    const cell = event.target.closest(".grid button");
    if (cell) {
      this.open(Number(cell.dataset.index));
      return;
    }
    const button = event.target.closest("[data-do]");
    if (button && !button.disabled) this.do(button.dataset.do, event);
  }

  do(name, event) {
    const batch = this.state && this.state.batch;
    const help = this.$(".help");
    switch (name) {
      case "confirm": this.confirm(event); break;
      case "nothing": if (this.kind === "batch") this.confirm(event, true); break;
      case "undo": this.canvas.undo(event); break;
      case "redo": this.canvas.redo(event); break;
      case "cancel": this.canvas.cancel(event); break;
      case "next": this.next(); break;
      case "previous-page": this.shownPage -= 1; this.grid(); break;
      case "next-page": this.shownPage = Math.min(this.shownPage + 1, Math.ceil(batch.size / batch.page_size) - 1); this.grid(); break;
      case "attention": this.setOpacity(this.canvas.opacity > 0 ? 0 : this.config.opacity); break;
      case "train": case "test": this.setMode(name); break;
      case "help": this.fillHelp(); help.hidden = !help.hidden; if (!help.hidden) this.$('[data-do="close-help"]').focus(); break;
      case "close-help": help.hidden = true; break;
      case "take": this.take(); break;
      case "leave": this.leave(); break;
      default:
    }
  }

  async next() {
    const { batch, step } = this.state;
    if (step === "FineTune") {
      try {
        const answer = await this.server.ask("/api/fine-tune", {});
        this.apply(answer.state);
      } catch { this.offline(true); }
      return;
    }
    const left = firstLeft(this.done, batch.size);
    if (left === null || !this.pageDone()) return;
    this.shownPage = Math.floor(left / batch.page_size);
    this.open(left);
  }

  async take() {
    try {
      const answer = await this.server.ask("/api/claim", { take: true });
      this.held = answer.held;
      this.view = null;
      this.apply(answer.state);
    } catch { this.offline(true); }
  }

  async leave() {
    if (!window.confirm("Leave the study for good? What you did so far is kept.")) return;
    try {
      const answer = await this.server.ask("/api/withdraw", { reason: "left by the participant" });
      this.$(".help").hidden = true;
      this.apply(answer.state);
    } catch { this.offline(true); }
  }

  fillHelp() {
    const known = this.interface ? LEGEND[this.interface] : [];
    this.$(".how").innerHTML = `<ul>${known.map(([what, why]) => `<li><b>${what}</b>: ${why}</li>`).join("")}</ul>`;
    const names = { confirm: "Confirm", nothing: "Nothing to correct", cancel: "Clear this image", attention: "Attention on or off", next: "Next page, or fine-tune", help: "This help" };
    const rows = Object.entries(names).map(([key, text]) => [this.config.hotkeys[key], text]);
    rows.push(["Ctrl+Z", "Undo"], ["Ctrl+Shift+Z", "Redo"], ["Arrows, Space, x", "Without a mouse: move, left click, right click"], ["Delete", "Delete the corner under the pointer"]);
    const table = this.$(".help table");
    table.replaceChildren(...rows.map(([key, text]) => {
      const row = document.createElement("tr");
      row.innerHTML = "<td><kbd></kbd></td><td></td>";
      row.querySelector("kbd").textContent = key;
      row.lastChild.textContent = text;
      return row;
    }));
  }

  key(event) {
    const inField = event.composedPath()[0];
    if (inField instanceof HTMLElement && (["TEXTAREA", "SELECT"].includes(inField.tagName) || (inField.tagName === "INPUT" && inField.type !== "range"))) return;
    if (!this.$(".help").hidden) {
      if (event.key === "Escape" || event.key === this.config.hotkeys.help) this.$(".help").hidden = true;
      return;
    }
    if (this.view !== "work") return;
    const control = event.ctrlKey || event.metaKey;
    if (control && event.key.toLowerCase() === "z") {
      event.preventDefault();
      this.do(event.shiftKey ? "redo" : "undo", event);
      return;
    }
    if (control || event.altKey) return;
    const onButton = inField instanceof HTMLElement && inField.tagName === "BUTTON";
    if (onButton && (event.key === "Enter" || event.key === " ")) return;
    const step = event.shiftKey ? 0.05 : 0.01;
    const arrows = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const canvas = this.canvas;
    if (canvas.enabled && event.key in arrows && inField === this.$(".top")) canvas.steer(...arrows[event.key]);
    else if (canvas.enabled && event.key === " " && canvas.cursor) this.pressAtCursor(event, 0);
    else if (canvas.enabled && event.key === "x" && canvas.cursor) this.pressAtCursor(event, 2);
    else if (canvas.enabled && event.key === "Delete") canvas.deleteHovered(event);
    else if (canvas.enabled && event.key === "Enter" && canvas.drawing.open.length >= 3) canvas.close(event);
    else {
      const name = Object.keys(this.config.hotkeys).find((k) => this.config.hotkeys[k].toLowerCase() === event.key.toLowerCase());
      if (!name || event.repeat) return;
      this.do(name, event);
    }
    event.preventDefault();
  }

  pressAtCursor(event, button) {
    const { canvas } = this;
    const point = canvas.cursor;
    if (canvas.item.onPress) canvas.item.onPress({ timeStamp: event.timeStamp, button }, point);
    else if (button === 0) canvas.left(event, point);
    else canvas.right(event, point);
    canvas.drag = null;
  }
}

async function decoded(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

function pairOfMaps(label, found, i, url, position) {
  const figure = document.createElement("figure");
  figure.innerHTML = '<div class="two"><span></span><span></span></div><figcaption><span></span><span></span></figcaption>';
  const sides = [[0, found.before[i]], [found.cycle, found.after[i]]];
  sides.forEach(([cycle, right], side) => {
    const cell = figure.querySelectorAll(".two > span")[side];
    for (const [path, name] of [[`/stimuli/gallery/${i}`, "photo"], [`/stimuli/view/${position}/${cycle}/${i}`, "layer"]]) {
      const image = document.createElement("img");
      image.className = name;
      image.alt = "";
      image.src = url(path);
      cell.append(image);
    }
    const caption = figure.querySelectorAll("figcaption span")[side];
    caption.textContent = `${label}: ${right ? "right" : "wrong"}`;
    caption.className = right ? "yes" : "no";
  });
  return figure;
}

const mounted = new WeakMap();
const CURRENT = Symbol.for("clickstudy");

export default function workspace({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".cs");
  const known = mounted.get(root);
  if (known && !known.stopped) {
    known.update(data);
    return;
  }
  // after a reconnection Streamlit may mount the component anew: the old one must not answer too
  window[CURRENT]?.stop();
  window[CURRENT] = new Workspace(root, data, setTriggerValue);
  mounted.set(root, window[CURRENT]);
}
