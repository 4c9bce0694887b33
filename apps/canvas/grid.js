// @ts-check
// The candidates: a page of small images, which are done, which is open.

import { element } from "./view.js";
import { t } from "./words.js";

/** @typedef {{ name: string, size: number, pageSize: number, labels: string[] }} Shown */

export class Grid {
  /** @param {import("./view.js").View} view @param {(path: string, query?: Record<string, any>) => string} url */
  constructor(view, url) {
    this.view = view;
    this.url = url;
    this.page = 0;
    this.filled = "";
  }

  /** @param {Shown} batch */
  pages(batch) { return Math.ceil(batch.size / batch.pageSize); }

  /** Whether every image of the shown page is done. @param {Shown} batch @param {Set<number>} done */
  pageDone(batch, done) {
    const end = Math.min((this.page + 1) * batch.pageSize, batch.size);
    for (let i = this.page * batch.pageSize; i < end; i += 1) if (!done.has(i)) return false;
    return true;
  }

  /** @param {Shown} batch @param {Set<number>} done @param {number | null} open @param {boolean} tune whether FINE-TUNE is due */
  show(batch, done, open, tune) {
    const first = this.page * batch.pageSize;
    const count = Math.min(batch.pageSize, batch.size - first);
    const key = `${batch.name}/${this.page}`;
    const grid = this.view.$(".grid");
    if (this.filled !== key) {
      this.filled = key;
      grid.style.setProperty("--columns", String(Math.max(4, Math.ceil(Math.sqrt(count)))));
      grid.replaceChildren(...Array.from({ length: count }, (_, i) => {
        const cell = /** @type {HTMLButtonElement} */ (element("button"));
        const image = document.createElement("img");
        cell.type = "button";
        cell.dataset.index = String(first + i);
        image.loading = "lazy";
        image.alt = "";
        image.src = this.url(`/stimuli/image/${batch.name}/${first + i}`, { small: 1 });
        cell.append(image);
        return cell;
      }));
    }
    for (const cell of grid.children) {
      const index = Number(cell.dataset.index);
      cell.className = `${done.has(index) ? "done" : ""} ${index === open ? "now" : ""}`;
      cell.setAttribute("aria-label", done.has(index) ? t("Image {number}, done", { number: index + 1 }) : t("Image {number}", { number: index + 1 }));
    }
    const pages = this.pages(batch);
    const before = this.view.$('[data-do="previous-page"]');
    const after = this.view.$('[data-do="next-page"]');
    this.view.$(".page").textContent = pages > 1 ? t("Page {page} of {pages}", { page: this.page + 1, pages }) : "";
    before.hidden = pages < 2;
    after.hidden = pages < 2;
    before.disabled = this.page === 0;
    after.disabled = this.page >= pages - 1;
    const all = done.size >= batch.size || tune;
    const next = this.view.$('[data-do="next"]');
    next.textContent = all ? t("FINE-TUNE") : t("NEXT");
    next.disabled = all ? !tune : !this.pageDone(batch, done);
  }
}
