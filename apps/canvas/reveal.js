// @ts-check
// Bringing an unanswered question of Streamlit's form into sight.

import { pause } from "./clock.js";

/** @param {string} key the form's name of the question */
export async function reveal(key) {
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
