// @ts-check
// What stands on the page around the canvas: header, words, waiting, help.

import { clock } from "./drawing.js";
import { Dialog } from "./dialog.js";
import { N, percent, t } from "./words.js";

/**
 * @typedef {{ prompt: string, practice: string, beside: string, legend: [string, string][], touch: [string, string], regions: boolean, answers: string[] }} Words
 * of an interface, as study/interfaces has them
 */
/** @type {Record<string, string>} */
const NAMES = {
  confirm: N("Confirm"), nothing: N("Nothing to correct"), cancel: N("Drop the open outline, else clear the image"),
  attention: N("Attention on or off"), next: N("Next page, or fine-tune"), help: N("This help"),
};
/** @type {Record<string, string>} */
const JOBS = { FineTune: N("Fine-tuning on your annotations"), Select: N("Choosing the next images"), Evaluate: N("Testing the model") };

/** @param {string} name @param {string} [text] @param {string} [className] */
export function element(name, text = "", className = "") {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** @typedef {{ what: string, done: number, at: number }} Begun when the first progress of something was seen */

export class View {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.help = new Dialog(this.$(".help"));
    this.cover = new Dialog(this.$(".cover"));
    this.leaving = new Dialog(this.$(".leaving"));
    this.rest = new Dialog(this.$(".rest"));
    this.touches = false;
    /** @type {Begun | undefined} */
    this.begun = undefined;
  }

  /** @param {string} selector @returns {any} */
  $(selector) { return this.root.querySelector(selector); }

  /** @param {string} name @param {string} text */
  fact(name, text) {
    const place = this.$(`[data-fact="${name}"]`);
    if (place.textContent !== text) place.textContent = text;
  }

  /** @param {string} text @param {string} tone */
  say(text, tone = "") {
    const place = this.$(".said");
    if (place.textContent !== text) place.textContent = text;
    place.className = `said ${tone}`;
  }

  /** @param {string} text */
  note(text) { this.$(".note").textContent = text; }

  /** @param {string} sentence with {name} where the name stands @param {string} name */
  prompt(sentence, name = "") {
    const [before, after = ""] = sentence.split("{name}");
    this.$(".prompt").replaceChildren(before, element("b", name), after);
  }

  /** @param {any} state @param {string} done how many of the round, in words */
  header(state, done) {
    const { place, task } = state;
    this.$(".stages").replaceChildren(...place.stages.map((/** @type {string} */ name, /** @type {number} */ i) => {
      const over = i < place.current || place.share >= 1;
      const item = element("li", name, over ? "done" : i === place.current ? "now" : "");
      item.title = name;
      if (i === place.current) item.setAttribute("aria-current", "step");
      return item;
    }));
    const whole = Math.round(place.share * 100);
    this.$(".bar-track i").style.width = `${whole}%`;
    this.$(".bar-track").setAttribute("aria-valuenow", String(whole));
    this.$(".bar-track").setAttribute("aria-valuetext", t("{percent}% of the study, at {stage}", { percent: whole, stage: place.stages[place.current] }));
    this.fact("cycle", done);
    this.fact("task", !task ? "" : task.budget ? t("Task {done} / {of} images", { done: task.images, of: task.budget }) : t("Task {done} images", { done: task.images }));
    this.fact("model", task && task.tuned ? t("Fine-tuned {count}×", { count: task.tuned }) : "");
    this.$('[data-do="satisfied"]').hidden = !(task && task.may_end);
    this.$('[data-do="rest"]').hidden = !(task && task.rest);
    this.$('[data-do="rest"]').classList.toggle("due", Boolean(task && task.rest && task.rest.due));
    // who has finished has nothing to leave
    this.$(".leave").hidden = state.page.startsWith("done");
  }

  /** @param {number | null} left seconds; null: no clock */
  time(left) {
    this.fact("time", left === null ? "" : left > 0 ? t("{time} left", { time: clock(left) }) : t("Time is up"));
    this.$('[data-fact="time"]').classList.toggle("low", left !== null && left < 60);
  }

  /** @param {string | null} title @param {string} text @param {boolean} canTake */
  covered(title, text = "", canTake = false) {
    if (!title) { this.cover.hide(); return; }
    this.$(".cover h2").textContent = title;
    this.$(".cover p").textContent = text;
    this.$(".cover button").hidden = !canTake;
    this.cover.show();
  }

  /** @param {Words} words @param {boolean} attention whether the overlay is shown @param {boolean} sizes whether there is a brush */
  legend(words, attention, sizes = false) {
    this.$(".legend").replaceChildren(...words.legend.map(([what, why]) => {
      const item = element("li");
      item.append(element("b", what), `: ${why}`);
      return item;
    }));
    this.$(".opacity").hidden = !attention;
    this.$(".brush").hidden = !sizes;
    this.$(".answers").hidden = !words.answers.length;
    this.$(".answers").replaceChildren(...words.answers.map((answer, i) => {
      const button = /** @type {HTMLButtonElement} */ (element("button", `${i + 1}: ${t(answer)}`));
      button.type = "button";
      button.dataset.do = `answer-${i + 1}`;
      button.dataset.answer = answer;
      return button;
    }));
    const [look, not] = this.$(".switch-tool").children;
    [look.textContent, not.textContent] = words.touch;
  }

  /** @param {string} tool */
  tool(tool) {
    for (const button of this.$(".switch-tool").children) {
      button.setAttribute("aria-pressed", String(button.dataset.do === `tool-${tool}`));
    }
  }

  /** @param {Words | undefined} words @param {Record<string, string>} hotkeys */
  fillHelp(words, hotkeys) {
    const list = element("ul");
    list.append(...(words?.legend || []).map(([what, why]) => {
      const item = element("li");
      item.append(element("b", what), `: ${why}`);
      return item;
    }));
    this.$(".how").replaceChildren(list);
    const rows = Object.entries(NAMES).map(([key, text]) => [hotkeys[key], t(text)]);
    rows.push(
      ["Ctrl+Z", t("Undo")], ["Ctrl+Shift+Z", t("Redo")],
      [t("Arrows, Space, x"), t("Without a mouse: move, left click, right click")],
      [t("Delete"), t("Delete the corner under the pointer")],
      [t("Wheel, +, −, 0"), t("Zoom in and out, whole image; Shift and drag moves it")],
    );
    this.$(".help table").replaceChildren(...rows.map(([key, text]) => {
      const row = element("tr");
      const cell = element("td");
      cell.append(element("kbd", key));
      row.append(cell, element("td", text));
      return row;
    }));
  }

  /** @param {any} state */
  wait(state) {
    const { job } = state;
    const now = performance.now();
    const { what, done } = preparation(state.preparing || "train 0/0");
    if (this.begun?.what !== what) this.begun = done ? { what, done, at: now } : undefined;
    const { title, text, share } = waiting(state, this.begun, now);
    this.$(".wait h2").textContent = title;
    this.$(".wait p").textContent = text;
    this.$(".wait .track i").style.width = `${Math.round(share * 100)}%`;
    this.fact("model", job && job.step === "FineTune" && job.total ? t("Fine-tuning {percent}", { percent: percent(share) }) : "");
  }
}

/** @type {Record<string, string>} */
const PREPARING = {
  read: N("Reading the images: {done} of {total}"),
  features: N("Looking at every image once: {done} of {total}"),
  train: N("Training the first model: {done} of {total}"),
};

/** @param {string} text what is under way for the first model, such as "train 3/30" */
function preparation(text) {
  const [what, count] = text.split(" ");
  const [done, total] = count.split("/").map(Number);
  return { what, done, total };
}

/**
 * What is waited for, in words. Of the first model the time is told once one knows how fast it goes.
 * @param {any} state @param {Begun | undefined} begun
 * @param {number} now milliseconds
 */
export function waiting(state, begun, now) {
  const { job } = state;
  if (state.preparing) {
    const { what, done, total } = preparation(state.preparing);
    const left = begun && done > begun.done ? (total - done) * (now - begun.at) / (done - begun.done) / 1000 : null;
    return {
      title: t("The first model is being prepared"), share: total ? done / total : 0,
      text: total ? joined(t(PREPARING[what], { done, total }), left) : t("This is done once."),
    };
  }
  if (!job) return { title: t("One moment"), text: "", share: 0 };
  if (job.state === "failed") return { title: t("Something went wrong with the computer"), text: t("The experimenter has been told. Please wait; nothing you did is lost."), share: 0 };
  const named = { title: t(JOBS[job.step] || N("One moment")), share: job.total ? job.done / job.total : 0 };
  if (job.state === "queued") return { ...named, text: job.ahead ? t("{count} before you. You can rest your eyes meanwhile.", { count: job.ahead }) : t("Starts in a moment.") };
  if (!job.total) return { ...named, text: t("This takes a moment.") };
  return { ...named, text: joined(t("{done} of {total}", { done: job.done, total: job.total }), job.seconds_left) };
}

/** @param {string} text @param {number | null} left seconds */
const joined = (text, left) => (left === null ? text : t("{what}, about {time} left", { what: text, time: clock(left) }));
