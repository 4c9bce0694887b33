// @ts-check
// Every sentence that the workspace shows comes from here. The English one is the key; the server
// hands over the catalogue of the participant's language (study/languages).

/** @type {Record<string, string>} */
let catalogue = {};
let code = "en";

/** @param {string} language such as "ja" @param {Record<string, string>} words its sentences by the English ones */
export function speak(language, words) {
  code = language;
  catalogue = words;
}

export const language = () => code;

/**
 * A sentence in the participant's language; numbers are written as it writes them.
 * @param {string} text in English @param {Record<string, string | number>} values by the names in its braces
 */
export function t(text, values = {}) {
  return (catalogue[text] || text).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? written(values[name]) : whole));
}

/** Marks a sentence that t() is called with elsewhere. @param {string} text */
export const N = (text) => text;

/** @param {string | number} value */
const written = (value) => (typeof value === "number" ? value.toLocaleString(code) : value);

/** @param {number | null} share */
export const percent = (share) => (share === null ? "–" : share.toLocaleString(code, { style: "percent" }));

/** What stood in the page in English, by node and attribute. @type {WeakMap<Node, Record<string, string>>} */
const originals = new WeakMap();

/** @param {Node} node @param {string} name @param {string} now */
function original(node, name, now) {
  const known = originals.get(node) || {};
  originals.set(node, known);
  return (known[name] ??= now);
}

const ATTRIBUTES = ["aria-label", "title", "aria-roledescription", "alt"];

/** What stands in the page from the beginning; again where the language changes. @param {HTMLElement} root */
export function translate(root) {
  root.lang = code;
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = original(node, "", (node.nodeValue || "").trim());
    if (text) node.nodeValue = t(text);
  }
  for (const name of ATTRIBUTES) {
    for (const element of root.querySelectorAll(`[${name}]`)) element.setAttribute(name, t(original(element, name, element.getAttribute(name) || "")));
  }
}
