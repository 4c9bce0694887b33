// @ts-check
// Yes or no to the region that the machine proposes.

import { answering } from "../answers.js";

export const tool = answering(["yes", "no"]);
