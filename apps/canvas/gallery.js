// @ts-check
// Attention before and after fine-tuning: of the image that is chosen, or of a page of them, class by
// class; and small after each round.

import { element } from "./view.js";
import { percent, t } from "./words.js";

const AT_ONCE = 12;
/** @typedef {{ position: number, cycle: number, tuned: number, labels: string[], before: boolean[], after: boolean[], moved: number[], accuracy: Record<string, [number | null, number | null]> }} Found */

/**
 * Which images of the gallery to show: of one class or of all, a page of them.
 * @param {string[]} labels @param {string} which "" for all @param {number} page
 */
export function chosen(labels, which, page) {
  const all = labels.flatMap((label, i) => (!which || label === which ? [i] : []));
  return { images: all.slice(page * AT_ONCE, (page + 1) * AT_ONCE), pages: Math.max(Math.ceil(all.length / AT_ONCE), 1) };
}

export class Gallery {
  /** @param {import("./view.js").View} view @param {import("./server.js").Server} server */
  constructor(view, server) {
    this.view = view;
    this.server = server;
    this.which = "";
    this.page = 0;
    /** @type {number | null} the image that was chosen; null: a page of them */
    this.one = null;
    /** @type {Found | null} */
    this.found = null;
    /** fine-tunings whose reward was shown, by task */
    this.rewarded = "";
  }

  /** @param {number} position */
  async open(position) {
    const summary = this.view.$(".summary");
    summary.textContent = t("Loading…");
    this.view.$(".maps").replaceChildren();
    try {
      this.found = await this.server.ask("/api/gallery", null, { position });
      this.show();
    } catch (error) {
      const offline = !(/** @type {any} */ (error).status);
      summary.textContent = offline ? t("There is no connection now. Try again in a moment.") : t("The pictures are being prepared. Try again in a moment.");
    }
  }

  show() {
    const { found } = this;
    if (!found) return;
    const lines = Object.entries(found.accuracy).map(([kind, [first, last]]) => element("span", found.cycle
      ? t("Right on {kind}: {before} before, {after} after", { kind, before: percent(first), after: percent(last) })
      : t("Right on {kind}: {before}", { kind, before: percent(first) })));
    lines.push(element("span", found.cycle
      ? t("Left: before fine-tuning. Right: after rounds: {rounds}.", { rounds: found.tuned })
      : t("The model has not been fine-tuned yet.")));
    this.view.$(".summary").replaceChildren(...lines);
    const classes = [...new Set(found.labels)].sort();
    this.view.$(".classes").replaceChildren(...["", ...classes].map((name) => {
      const button = /** @type {HTMLButtonElement} */ (element("button", name || t("All")));
      button.type = "button";
      button.dataset.do = "class";
      button.dataset.name = name;
      button.setAttribute("aria-pressed", String(name === this.which));
      return button;
    }));
    const rights = classes.map((name) => {
      const all = chosen(found.labels, name, 0);
      const of = found.labels.flatMap((label, i) => (label === name ? [i] : []));
      const count = (/** @type {boolean[]} */ side) => of.filter((i) => side[i]).length;
      const values = { name, before: count(found.before), after: count(found.after), all: of.length };
      return all && (found.cycle ? t("{name}: {before} of {all} right before, {after} after", values) : t("{name}: {before} of {all} right", values));
    });
    this.view.$(".per-class").textContent = rights.join(" · ");
    this.view.$(".choice").replaceChildren(...found.labels.flatMap((label, i) => (!this.which || label === this.which ? [this.thumbnail(i)] : [])));
    this.showMaps();
  }

  showMaps() {
    const found = /** @type {Found} */ (this.found);
    const { one } = this;
    const { images, pages } = one === null ? chosen(found.labels, this.which, this.page) : { images: [one], pages: 1 };
    this.view.$(".pages").replaceChildren(...(pages > 1 ? [element("span", t("Page {page} of {pages}", { page: this.page + 1, pages })), " ", more()] : []));
    this.view.$(".maps").replaceChildren(...images.map((i) => this.pair(i)));
    this.view.$(".maps").classList.toggle("large", one !== null);
    for (const button of this.view.$(".choice").children) button.setAttribute("aria-pressed", String(button.dataset.index === String(one)));
  }

  /** @param {string} which */
  choose(which) {
    this.which = which;
    this.page = 0;
    this.one = null;
    this.show();
  }

  /** The image of this number alone; pressed again, a page of them. @param {number} i */
  pick(i) {
    if (!this.found) return;
    this.one = this.one === i ? null : i;
    this.showMaps();
  }

  next() {
    if (!this.found) return;
    this.page = (this.page + 1) % chosen(this.found.labels, this.which, 0).pages;
    this.showMaps();
  }

  /** @param {number} i */
  thumbnail(i) {
    const { labels, after } = /** @type {Found} */ (this.found);
    const button = /** @type {HTMLButtonElement} */ (element("button", "", after[i] ? "yes" : "no"));
    button.type = "button";
    button.dataset.do = "pick";
    button.dataset.index = String(i);
    button.setAttribute("aria-pressed", "false");
    const image = document.createElement("img");
    image.loading = "lazy";
    const values = { number: i + 1, label: labels[i] };
    image.alt = after[i] ? t("Image {number}, {label}: now right", values) : t("Image {number}, {label}: now wrong", values);
    image.src = this.server.url(`/stimuli/gallery/${i}`);
    button.append(image);
    return button;
  }

  /** @param {number} i */
  pair(i) {
    const found = /** @type {Found} */ (this.found);
    const figure = element("figure");
    const two = element("div", "", "two");
    const caption = element("figcaption");
    const sides = /** @type {[string, number, boolean][]} */ ([[t("before"), 0, found.before[i]], [t("after"), found.cycle, found.after[i]]]);
    for (const [when, cycle, right] of sides) {
      const cell = element("span");
      const words = `${found.labels[i]}: ${right ? t("right") : t("wrong")}`;
      for (const [path, name] of [[`/stimuli/gallery/${i}`, "photo"], [`/stimuli/view/${found.position}/${cycle}/${i}`, "layer"]]) {
        const image = document.createElement("img");
        image.className = name;
        image.alt = name === "photo" ? `${words}, ${when}` : "";
        image.src = this.server.url(path);
        cell.append(image);
      }
      two.append(cell);
      caption.append(element("span", words, right ? "yes" : "no"));
    }
    figure.append(two, caption);
    return figure;
  }

  /** After a fine-tuning: the image whose attention moved most, before and after. @param {any} task */
  async reward(task) {
    const name = `${task.position}/${task.tuned}`;
    if (!task.tuned || this.rewarded === name) return;
    this.rewarded = name;
    try {
      const found = /** @type {Found} */ (await this.server.ask("/api/gallery", null, { position: task.position }));
      if (!found.cycle || found.tuned < task.tuned) { this.rewarded = ""; return; }
      this.found = found;
      const most = found.moved.indexOf(Math.max(...found.moved));
      const place = this.view.$(".reward");
      place.replaceChildren(element("p", t("What the computer looks at, before and after rounds: {rounds}", { rounds: found.tuned })), this.pair(most));
      place.hidden = false;
    } catch { this.rewarded = ""; }
  }

  hideReward() { this.view.$(".reward").hidden = true; }
}

function more() {
  const button = /** @type {HTMLButtonElement} */ (element("button", t("More images")));
  button.type = "button";
  button.dataset.do = "more-maps";
  return button;
}
