// @ts-check
// Dialogs hold the focus while they are open and give it back afterwards.

/** @param {ParentNode} root */
const reachable = (root) => /** @type {HTMLElement[]} */ ([...root.querySelectorAll("button:not([disabled]):not([hidden]), input:not([disabled]), [tabindex='0']")])
  .filter((element) => element.offsetParent !== null);

export class Dialog {
  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    /** @type {HTMLElement | null} */
    this.before = null;
    element.addEventListener("keydown", (event) => this.key(event));
  }

  get open() { return !this.element.hidden; }

  show() {
    if (this.open) return;
    const root = /** @type {Document | ShadowRoot} */ (this.element.getRootNode());
    this.before = /** @type {HTMLElement | null} */ (root.activeElement);
    this.element.hidden = false;
    const [first] = reachable(this.element);
    if (first) first.focus();
    else { this.element.tabIndex = -1; this.element.focus(); }
  }

  hide() {
    if (!this.open) return;
    this.element.hidden = true;
    if (this.before && this.before.isConnected) this.before.focus({ preventScroll: true });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.key !== "Tab") return;
    const all = reachable(this.element);
    if (!all.length) { event.preventDefault(); return; }
    const root = /** @type {Document | ShadowRoot} */ (this.element.getRootNode());
    const at = all.indexOf(/** @type {HTMLElement} */ (root.activeElement));
    const next = event.shiftKey ? (at <= 0 ? all.length - 1 : at - 1) : (at + 1) % all.length;
    all[next].focus();
    event.preventDefault();
  }
}
