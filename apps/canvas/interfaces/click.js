// @ts-check
// Clicks: points to look at, regions of the attention map not to look at.

import { isBackground, labelAt, steps } from "../drawing.js";
import { t } from "../words.js";

/** @type {import("../tools.js").Tool} */
export const tool = {
  press: ({ drawing, point }) => ({ change: { kind: "positive", drawing: steps.addPoint(drawing, point), point } }),

  other({ drawing, point, regions }) {
    if (!regions) return { tell: t("One moment: the regions of this image are still loading.") };
    const label = labelAt(regions, point);
    const marked = drawing.regions.some((region) => region.label === label);
    if (!marked && isBackground(regions, label)) return { tell: t("There is no attention here to take away: choose a coloured region.") };
    const holds = !marked && drawing.points.some((inside) => labelAt(regions, inside) === label);
    return {
      change: { kind: marked ? "delete" : "negative", drawing: steps.toggleRegion(drawing, label, point), point },
      tell: holds ? t("This region holds a point where you said to look. Undo it if that was a slip.") : "",
    };
  },

  clears: true,
};
