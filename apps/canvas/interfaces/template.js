// @ts-check
// Outlines on the one image that stands for its class: drawn as any outline is.

import { tool as polygon } from "./polygon.js";

export const tool = polygon;
