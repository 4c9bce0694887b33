// @ts-check
// What the participant sees the study with: browser, screen, pointer, refresh rate, time zone.

import { t } from "./words.js";

const FRAMES = 40;

/**
 * Frames a second, from the times of some frames; null where there are too few. The median: a frame
 * that came late says nothing about the screen.
 * @param {number[]} times milliseconds
 */
export function refreshRate(times) {
  const gaps = times.slice(1).map((at, i) => at - times[i]).filter((gap) => gap > 0).sort((a, b) => a - b);
  if (gaps.length < 10) return null;
  return Math.round(1000 / gaps[Math.floor(gaps.length / 2)]);
}

/** The times of the next frames; fewer where the page is out of sight. @returns {Promise<number[]>} */
function frames() {
  return new Promise((resolve) => {
    /** @type {number[]} */
    const times = [];
    const over = setTimeout(() => resolve(times), 5000);
    const next = (/** @type {number} */ at) => {
      times.push(at);
      if (times.length <= FRAMES) { requestAnimationFrame(next); return; }
      clearTimeout(over);
      resolve(times);
    };
    requestAnimationFrame(next);
  });
}

/** @param {Window} w */
function pointer(w) {
  if (w.matchMedia("(pointer: fine)").matches) return "fine";
  return w.matchMedia("(pointer: coarse)").matches ? "coarse" : "none";
}

/** @returns {Promise<object>} as apps/web/messages.py has it */
export async function environment(w = window) {
  return {
    user_agent: w.navigator.userAgent.slice(0, 500),
    language: (w.navigator.language || "").slice(0, 50),
    time_zone: (Intl.DateTimeFormat().resolvedOptions().timeZone || "").slice(0, 100),
    screen: [w.screen.width, w.screen.height],
    window: [w.innerWidth, w.innerHeight],
    pixel_ratio: w.devicePixelRatio || 1,
    pointer: pointer(w),
    touch_points: w.navigator.maxTouchPoints || 0,
    refresh_rate: refreshRate(await frames()),
  };
}

/**
 * Whether a window is too small for the study, in words; null where it is not.
 * @param {[number, number]} smallest width and height, CSS pixels @param {{ innerWidth: number, innerHeight: number }} w
 */
export function tooSmall([width, height], w) {
  if (w.innerWidth >= width && w.innerHeight >= height) return null;
  return t("This window is {is} and the study needs {needs}: make it larger or zoom out, or come back on a larger screen.", {
    is: `${w.innerWidth} × ${w.innerHeight}`, needs: `${width} × ${height}`,
  });
}
