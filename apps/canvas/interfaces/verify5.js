// @ts-check
// Five answers to the region that the machine proposes.

import { answering } from "../answers.js";

export const tool = answering(["yes", "part", "container", "mixed", "missed"]);
