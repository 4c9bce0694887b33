// @ts-check
// Mounts the workspace; Streamlit calls this with every script run.

import { Workspace } from "./workspace.js";

/** @type {WeakMap<Element, Workspace>} */
const mounted = new WeakMap();
const CURRENT = Symbol.for("clickstudy");

/** @param {{ data: import("./workspace.js").Data, parentElement: ParentNode, setTriggerValue: (name: string, value: any) => void }} component */
export default function mount({ data, parentElement, setTriggerValue }) {
  const root = /** @type {HTMLElement} */ (parentElement.querySelector(".cs"));
  const known = mounted.get(root);
  if (known && !known.stopped) {
    known.update(data);
    return;
  }
  // after a reconnection Streamlit may mount the component anew: the old one must not answer too
  const place = /** @type {any} */ (window);
  place[CURRENT]?.stop();
  place[CURRENT] = new Workspace(root, data, setTriggerValue);
  mounted.set(root, place[CURRENT]);
}
