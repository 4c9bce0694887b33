// @ts-check
// A tool with which one says what a proposed region shows.

import { PROPOSED, labelAt, steps } from "./drawing.js";
import { t } from "./words.js";

/**
 * The first answer is a press in the region, the last one the other button; all are buttons and keys.
 * @param {string[]} answers @returns {import("./tools.js").Tool}
 */
export function answering(answers) {
  /** @param {import("./drawing.js").Drawing} drawing @param {string} answer @returns {import("./tools.js").Change} */
  const say = (drawing, answer) => ({ kind: "answer", drawing: steps.say(drawing, answer) });
  return {
    press({ drawing, point, regions }) {
      if (!regions) return { tell: t("One moment: the region of this image is still loading.") };
      if (labelAt(regions, point) !== PROPOSED) return { tell: t("Click in the yellow region, or choose an answer on the right.") };
      return { change: say(drawing, answers[0]) };
    },
    other({ drawing, regions }) {
      if (!regions) return { tell: t("One moment: the region of this image is still loading.") };
      return { change: say(drawing, answers[answers.length - 1]) };
    },
    answer: (drawing, number) => (answers[number] ? say(drawing, answers[number]) : undefined),
    answers,
    unfinished: ({ answers: said }) => (said.length ? "" : t("Say first what the yellow region shows.")),
  };
}
