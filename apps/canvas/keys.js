// @ts-check
// What a key means, as a value: a name to do, or a move of the cursor.

/**
 * @typedef {{ key: string, ctrlKey?: boolean, metaKey?: boolean, altKey?: boolean, shiftKey?: boolean, repeat?: boolean }} Key
 * @typedef {{ onButton: boolean, onCanvas: boolean, ready: boolean, cursor: boolean, open: number, closes: boolean, answers?: boolean, hotkeys: Record<string, string> }} Place
 */

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
/** @type {Record<string, string>} */
const SIGNS = { "+": "zoom-in", "=": "zoom-in", "-": "zoom-out", 0: "zoom-whole", "[": "smaller", "]": "larger" };

/**
 * What a key does in the workspace; null: nothing of ours.
 * @param {Key} event @param {Place} place
 * @returns {{ do: string, by?: [number, number] } | null}
 */
export function meaning(event, place) {
  const control = event.ctrlKey || event.metaKey;
  if (control && event.key.toLowerCase() === "z") return { do: event.shiftKey ? "redo" : "undo" };
  if (control || event.altKey) return null;
  if (place.onButton && (event.key === "Enter" || event.key === " ")) return null;
  if (place.ready && place.onCanvas && event.key in ARROWS) {
    const far = event.shiftKey ? 0.05 : 0.01;
    const [dx, dy] = ARROWS[event.key];
    return { do: "steer", by: [dx * far, dy * far] };
  }
  if (place.ready && event.key in SIGNS) return { do: SIGNS[event.key] };
  if (place.ready && place.answers && /^[1-9]$/.test(event.key)) return { do: `answer-${event.key}` };
  if (place.ready && place.cursor && event.key === " ") return { do: "press" };
  if (place.ready && place.cursor && event.key === "x") return { do: "press-other" };
  if (place.ready && event.key === "Delete") return { do: "delete" };
  if (place.ready && event.key === "Enter" && place.closes) return { do: "close" };
  const name = Object.keys(place.hotkeys).find((k) => place.hotkeys[k].toLowerCase() === event.key.toLowerCase());
  if (!name || event.repeat) return null;
  if (name === "cancel" && place.open) return { do: "cancel-open" };
  return { do: name };
}
