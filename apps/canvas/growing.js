// @ts-check
// A shown region that clicks grow and shrink: study/interfaces/growing.py says what is computed.

import { PROPOSED } from "./drawing.js";

/** @typedef {import("./drawing.js").Regions} Regions */

const NEAR = 0.25;
const ALIKE = 0.15;
const SMOOTHED = 40;
const PRIOR = 0.5;
const DOUBT = 0.01;

/**
 * What is proposed, after clicks.
 * @param {Regions} regions @param {import("./drawing.js").Drawing} drawing with the clicks
 * @param {ArrayLike<number> | null} colours of the image, four values in 0..255 for each cell of the regions
 * @returns {Regions}
 */
export function regrown(regions, { grow, shrink }, colours) {
  const spots = [...grow, ...shrink];
  if (!spots.length) return regions;
  const { height, width, labels } = regions;
  const longer = Math.max(height, width);
  const at = spots.map(([x, y]) => Math.min(Math.floor(y * height), height - 1) * width + Math.min(Math.floor(x * width), width - 1));
  const seen = colours && smoothed(colours, height, width, Math.floor(Math.floor(longer / SMOOTHED) / 2));
  /** @param {number} i @param {number} j how alike two cells are */
  const kernel = (i, j) => {
    const down = (Math.floor(i / width) - Math.floor(j / width)) / longer;
    const across = ((i % width) - (j % width)) / longer;
    let far = (down * down + across * across) / (NEAR * NEAR);
    if (seen) for (let c = 0; c < 3; c += 1) far += ((seen[3 * i + c] - seen[3 * j + c]) / ALIKE) ** 2;
    return Math.exp(-0.5 * far);
  };
  const prior = (/** @type {number} */ i) => (labels[i] === PROPOSED ? PRIOR : -PRIOR);
  const weights = solved(
    at.map((i, a) => at.map((j, b) => kernel(i, j) + (a === b ? DOUBT : 0))),
    at.map((i, a) => (a < grow.length ? 1 : -1) - prior(i)),
  );
  const grown = Uint16Array.from(labels, (label, i) => {
    if (label > PROPOSED) return label; // what the network does not see
    return at.reduce((sum, j, a) => sum + weights[a] * kernel(i, j), prior(i)) > 0 ? PROPOSED : 0;
  });
  return { height, width, labels: grown };
}

/** Gauss's elimination; the matrix is symmetric and positive definite. @param {number[][]} matrix @param {number[]} right */
function solved(matrix, right) {
  const n = right.length;
  const rows = matrix.map((row, i) => [...row, right[i]]);
  for (let i = 0; i < n; i += 1) {
    for (let k = i + 1; k < n; k += 1) {
      const factor = rows[k][i] / rows[i][i];
      for (let j = i; j <= n; j += 1) rows[k][j] -= factor * rows[i][j];
    }
  }
  const found = new Array(n).fill(0);
  for (let i = n - 1; i >= 0; i -= 1) {
    let rest = rows[i][n];
    for (let j = i + 1; j < n; j += 1) rest -= rows[i][j] * found[j];
    found[i] = rest / rows[i][i];
  }
  return found;
}

/** Means of colours over squares, cut off at the border. @param {ArrayLike<number>} colours @param {number} height @param {number} width @param {number} radius */
function smoothed(colours, height, width, radius) {
  let from = Float64Array.from({ length: 3 * height * width }, (_, i) => colours[4 * Math.floor(i / 3) + (i % 3)] / 255);
  for (const [size, step] of [[height, width], [width, 1]]) {
    const to = new Float64Array(from.length);
    for (let i = 0; i < height * width; i += 1) {
      const place = step === 1 ? i % width : Math.floor(i / width);
      const low = Math.max(place - radius, 0);
      const high = Math.min(place + radius + 1, size);
      for (let c = 0; c < 3; c += 1) {
        let sum = 0;
        for (let k = low; k < high; k += 1) sum += from[3 * (i + (k - place) * step) + c];
        to[3 * i + c] = sum / (high - low);
      }
    }
    from = to;
  }
  return from;
}
