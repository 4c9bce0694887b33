// @ts-check
// What a state of the server asks for, as values: which view is due, and how much time is left.

/**
 * @typedef {{ held: boolean, page: string, mode: string, resting: boolean, small?: boolean }} Here
 * held: whether this tab may act; page: the one that Streamlit shows; mode: "train" or "test"; small: whether the window is
 */

/** Whether the round waits for the person to press FINE-TUNE. @param {any} state */
export const tunes = (state) => state.step === "FineTune" && !(state.job && state.job.state !== "none");

/** Whether images are annotated at a step. @param {string} step */
export const annotates = (step) => step === "Annotate" || step === "TuneHead";

/**
 * The view that is due; "stay" leaves what is there.
 * @param {any} state @param {Here} here
 * @returns {"elsewhere" | "paused" | "small" | "page" | "stay" | "check" | "practice" | "glimpse" | "batch" | "wait"}
 */
export function due(state, here) {
  if (!here.held) return "elsewhere";
  if (state.paused) return "paused";
  if (here.small && !state.page.startsWith("done")) return "small";
  if (state.page !== here.page || state.page !== "workspace") return "page";
  if (here.mode === "test" || here.resting) return "stay";
  if (state.check) return "check";
  if (state.practice) return "practice";
  if (state.glimpse) return "glimpse";
  return annotates(state.step) || tunes(state) ? "batch" : "wait";
}

/**
 * Seconds left of a task; null without one, or without a clock (the sandbox's).
 * @param {any} state @param {{ messages: any[], elapsed: number, since: number, still: boolean }} passed
 *   messages: said and not yet heard of; elapsed: milliseconds of the open image, where they count;
 *   since: milliseconds since the state came; still: the clock stands (a rest, a pause)
 */
export function secondsLeft({ task, paused }, { messages, elapsed, since, still }) {
  if (!task || task.seconds_left === null) return null;
  if (task.over) return 0;
  if (task.clock !== "annotation") return task.seconds_left - (paused || still ? 0 : since / 1000);
  const said = messages.filter((m) => m.type === "annotated" && m.position === task.position);
  return task.seconds_left - elapsed / 1000 - said.reduce((sum, m) => sum + m.seconds, 0);
}
