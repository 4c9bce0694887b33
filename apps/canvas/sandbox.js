// @ts-check
// The sandbox's page: the parameter panel beside the workspace, START and STOP.

import { element } from "./view.js";
import { Workspace } from "./workspace.js";

/** @param {number | null} value */
const percent = (value) => (value === null || value === undefined ? "–" : `${Math.round(value * 100)}%`);

/**
 * The rows of the table of results, as texts.
 * @param {{ round: number, images: number, usual: number | null, unusual: number | null, seconds: number | null }[]} rounds
 */
export function rows(rounds) {
  return rounds.map(({ round, images, usual, unusual, seconds }) => [
    round ? String(round) : "before", String(images), percent(usual), percent(unusual),
    seconds === null ? "" : `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`,
  ]);
}

/** What the panel says, numbers as numbers. @param {Iterable<[string, any]>} fields */
export function panelOf(fields) {
  const text = ["dataset", "interface", "strategy"];
  return Object.fromEntries([...fields].map(([name, value]) => [name, text.includes(name) ? value : Number(value)]));
}

export class Sandbox {
  /** @param {Document} page @param {any} facts */
  constructor(page, facts) {
    this.page = page;
    this.panel = /** @type {HTMLFormElement} */ (page.querySelector(".panel"));
    this.on = false;
    this.shown = "";
    const host = /** @type {HTMLElement} */ (page.querySelector(".host"));
    const root = host.attachShadow({ mode: "open" });
    root.append(/** @type {HTMLTemplateElement} */ (host.querySelector("template")).content.cloneNode(true));
    const place = /** @type {HTMLElement} */ (root.querySelector(".cs"));
    place.dataset.sandbox = "yes";
    this.workspace = new Workspace(place, facts, () => {});
    const apply = this.workspace.apply.bind(this.workspace);
    this.workspace.apply = (state) => { this.hear(state); apply(state); };
    this.panel.addEventListener("submit", (event) => { event.preventDefault(); this.toggle(); });
  }

  async toggle() {
    const problem = this.find(".problem");
    problem.textContent = "";
    const { server } = this.workspace;
    try {
      const answer = this.on
        ? await server.ask("/sandbox/stop", {})
        : await server.ask("/sandbox/start", { panel: panelOf(new FormData(this.panel)) });
      this.workspace.mode = "train";
      this.workspace.shown = "";
      this.workspace.apply(answer.state);
    } catch (error) {
      problem.textContent = /** @type {Error} */ (error).message;
    }
  }

  /** @param {string} selector @returns {any} */
  find(selector) { return this.page.querySelector(selector); }

  /** @param {any} state */
  hear(state) {
    this.on = state.page !== "panel";
    const button = this.find(".toggle");
    button.textContent = this.on ? "STOP" : "START";
    button.classList.toggle("stop", this.on);
    // START reads the fields: they are locked after that
    this.find("fieldset").disabled = this.on;
    this.page.body.toggleAttribute("data-on", this.on);
    if (state.problem) this.find(".problem").textContent = state.problem;
    const rounds = state.rounds || [];
    const key = JSON.stringify(rounds);
    if (key === this.shown) return;
    this.shown = key;
    this.find(".results").hidden = !rounds.length;
    this.find(".results tbody").replaceChildren(...rows(rounds).map((cells) => {
      const row = element("tr");
      row.append(...cells.map((text) => element("td", text)));
      return row;
    }));
  }
}

if (typeof document !== "undefined") {
  const facts = document.querySelector("#facts");
  if (facts) new Sandbox(document, JSON.parse(facts.textContent || "{}"));
}
