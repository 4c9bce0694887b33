// @ts-check
// What is drawn, as values: pure functions of drawings, superpixels and pages.

/**
 * @typedef {[number, number]} Point image-relative
 * @typedef {{ label: number, point: Point }} Marked a region by its label
 * @typedef {{ left: number, top: number, right: number, bottom: number, points: Point[] }} Box
 * @typedef {{ points: Point[], across: number, down: number, erase: boolean }} Stroke radii in image widths and heights
 * @typedef {{ points: Point[], regions: Marked[], polygons: Point[][], open: Point[], boxes: Box[], strokes: Stroke[], answers: string[], grow: Point[], shrink: Point[] }} Drawing open: presses that finish nothing yet; grow, shrink: clicks on a proposed region
 * @typedef {{ height: number, width: number, labels: Uint16Array, sizes?: number[] }} Regions
 * @typedef {[number, number]} Corner polygon (-1: the open one) and vertex
 */

/** @param {number} value */
export const round4 = (value) => Math.round(value * 1e4) / 1e4;

/** @param {number} seconds */
export function clock(seconds) {
  const whole = Math.max(Math.ceil(seconds), 0);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** In widths of the image. @param {Point} a @param {Point} b @param {number} ratio width / height */
export function distance(a, b, ratio = 1) {
  return Math.hypot(a[0] - b[0], (a[1] - b[1]) / ratio);
}

/**
 * The vertex under a point, as [polygon, vertex]; polygon -1 is the one still open.
 * @param {Drawing} drawing @param {Point} point @param {number} reach @param {number} ratio of the image
 * @returns {Corner | null}
 */
export function vertexAt(drawing, point, reach, ratio = 1) {
  /** @type {[number, Point[]][]} */
  const all = [[-1, drawing.open], ...drawing.polygons.map((p, i) => /** @type {[number, Point[]]} */ ([i, p]))];
  /** @type {Corner | null} */
  let best = null;
  let nearest = reach;
  for (const [polygon, vertices] of all) {
    vertices.forEach((vertex, index) => {
      const d = distance(vertex, point, ratio);
      if (d <= nearest) {
        nearest = d;
        best = [polygon, index];
      }
    });
  }
  return best;
}

/** @returns {Drawing} */
export function emptyDrawing() {
  return { points: [], regions: [], polygons: [], open: [], boxes: [], strokes: [], answers: [], grow: [], shrink: [] };
}

/** @param {Drawing} drawing */
export function isEmpty(drawing) {
  return Object.values(drawing).every((marks) => !marks.length);
}

// Every step returns a new drawing, so that undo is going back to an old one.
export const steps = {
  /** @param {Drawing} d @param {Point} point @returns {Drawing} */
  addPoint: (d, point) => ({ ...d, points: [...d.points, point] }),
  /** @param {Drawing} d @param {number} label @param {Point} point @returns {Drawing} */
  toggleRegion: (d, label, point) => {
    const kept = d.regions.filter((region) => region.label !== label);
    return { ...d, regions: kept.length < d.regions.length ? kept : [...kept, { label, point }] };
  },
  /** @param {Drawing} d @param {Point} point @returns {Drawing} */
  addVertex: (d, point) => ({ ...d, open: [...d.open, point] }),
  /** @param {Drawing} d @returns {Drawing} */
  close: (d) => ({ ...d, polygons: [...d.polygons, d.open], open: [] }),
  /** @param {Drawing} d @param {Box} box @returns {Drawing} */
  addBox: (d, box) => ({ ...d, boxes: [...d.boxes, box], open: [] }),
  /** @param {Drawing} d @param {Stroke} stroke @returns {Drawing} */
  addStroke: (d, stroke) => ({ ...d, strokes: [...d.strokes, stroke] }),
  /** One answer to what is proposed. @param {Drawing} d @param {string} answer @returns {Drawing} */
  say: (d, answer) => ({ ...d, answers: [answer] }),
  /** @param {Drawing} d @param {Point} point @returns {Drawing} */
  addGrow: (d, point) => ({ ...d, grow: [...d.grow, point] }),
  /** @param {Drawing} d @param {Point} point @returns {Drawing} */
  addShrink: (d, point) => ({ ...d, shrink: [...d.shrink, point] }),
  /** @param {Drawing} d @returns {Drawing} */
  dropOpen: (d) => ({ ...d, open: [] }),
  /** @param {Drawing} d @param {Corner} corner @param {Point} point */
  move: (d, [polygon, vertex], point) => replaceVertices(d, polygon, (all) => all.map((v, i) => (i === vertex ? point : v))),
  /** @param {Drawing} d @param {Corner} corner */
  remove: (d, [polygon, vertex]) => replaceVertices(d, polygon, (all) => all.filter((_, i) => i !== vertex)),
};

/**
 * @param {Drawing} d @param {number} polygon @param {(all: Point[]) => Point[]} change
 * @returns {Drawing}
 */
function replaceVertices(d, polygon, change) {
  if (polygon < 0) return { ...d, open: change(d.open) };
  const polygons = d.polygons.map((p, i) => (i === polygon ? change(p) : p));
  return { ...d, polygons: polygons.filter((p) => p.length >= 3) };
}

/**
 * Whether an outline crosses itself, as a bow tie does.
 * @param {Point[]} outline
 */
export function crossesItself(outline) {
  const n = outline.length;
  /** @param {Point} a @param {Point} b @param {Point} c */
  const side = (a, b, c) => Math.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));
  for (let i = 0; i < n; i += 1) {
    for (let j = i + 2; j < n; j += 1) {
      if (i === 0 && j === n - 1) continue;
      const [a, b, c, d] = [outline[i], outline[(i + 1) % n], outline[j], outline[(j + 1) % n]];
      if (side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0) return true;
    }
  }
  return false;
}

// -- regions

/** the label of what the network does not see of a photograph */
export const UNSEEN = 65535;
/** the label of what the machine proposes */
export const PROPOSED = 1;

/** The middle of what is proposed; of the image where nothing is. @param {Regions} regions @returns {Point} */
function middle({ labels, height, width }) {
  let [x, y, n] = [0, 0, 0];
  labels.forEach((label, i) => {
    if (label !== PROPOSED) return;
    x += (i % width) + 0.5;
    y += Math.floor(i / width) + 0.5;
    n += 1;
  });
  return n ? [round4(x / n / width), round4(y / n / height)] : [0.5, 0.5];
}

/** @param {Regions} regions @param {Point} point */
export function labelAt(regions, [x, y]) {
  const row = Math.min(Math.floor(y * regions.height), regions.height - 1);
  const column = Math.min(Math.floor(x * regions.width), regions.width - 1);
  return regions.labels[row * regions.width + column];
}

/**
 * Whether a region is what no colour lies on: the largest one, where it is most of the image; or
 * what the network does not see at all.
 * To mark it would forget the object too.
 * @param {Regions} regions @param {number} label
 */
export function isBackground(regions, label) {
  if (!regions.sizes) {
    /** @type {number[]} */
    const sizes = [];
    for (const value of regions.labels) sizes[value] = (sizes[value] || 0) + 1;
    regions.sizes = sizes;
  }
  return label === UNSEEN || regions.sizes[label] > regions.labels.length / 2;
}

/**
 * COCO's uncompressed run lengths of `labels == label`: column by column, zeros first.
 * @param {ArrayLike<number>} labels @param {number} height @param {number} width @param {number} label
 */
export function runs(labels, height, width, label) {
  /** @type {number[]} */
  const counts = [];
  let inside = false;
  let length = 0;
  for (let x = 0; x < width; x += 1) {
    for (let y = 0; y < height; y += 1) {
      if ((labels[y * width + x] === label) !== inside) {
        counts.push(length);
        inside = !inside;
        length = 0;
      }
      length += 1;
    }
  }
  counts.push(length);
  return counts;
}

/**
 * The drawing as study.annotation.Annotation, coordinates in [0, 1].
 * @param {Drawing} drawing @param {Regions | null} regions as they are shown: what is proposed may have been changed
 */
export function annotationOf(drawing, regions) {
  return {
    positive_points: drawing.points,
    negative_regions: !regions ? [] : drawing.regions.map(({ label, point }) => ({
      point,
      height: regions.height,
      width: regions.width,
      counts: runs(regions.labels, regions.height, regions.width, label),
    })),
    polygons: drawing.polygons,
    boxes: drawing.boxes,
    strokes: drawing.strokes,
    proposals: !regions ? [] : drawing.answers.map((answer) => ({
      answer,
      region: {
        point: middle(regions), height: regions.height, width: regions.width,
        counts: runs(regions.labels, regions.height, regions.width, PROPOSED),
      },
      grow: drawing.grow,
      shrink: drawing.shrink,
    })),
  };
}

/**
 * @param {{ positive_points: Point[], negative_regions: { point: Point }[], polygons: Point[][], boxes?: Box[], strokes?: Stroke[], proposals?: { answer: string, grow?: Point[], shrink?: Point[] }[] }} annotation
 * @param {Regions | null} regions
 * @returns {Drawing}
 */
export function drawingOf(annotation, regions) {
  return {
    points: annotation.positive_points,
    regions: regions ? annotation.negative_regions.map(({ point }) => ({ point, label: labelAt(regions, point) })) : [],
    polygons: annotation.polygons,
    boxes: annotation.boxes || [],
    strokes: annotation.strokes || [],
    answers: (annotation.proposals || []).map(({ answer }) => answer),
    grow: (annotation.proposals || []).flatMap(({ grow }) => grow || []),
    shrink: (annotation.proposals || []).flatMap(({ shrink }) => shrink || []),
    open: [],
  };
}

/** @param {ArrayBuffer} buffer @returns {Regions} */
export function unpackRegions(buffer) {
  const values = new Uint16Array(buffer);
  return { height: values[0], width: values[1], labels: values.subarray(2) };
}

/**
 * The next image to do: after `from` on its page, then on it from its start; null when it is done.
 * @param {number} from @param {Set<number>} done @param {number} size @param {number} pageSize
 */
export function nextOnPage(from, done, size, pageSize) {
  const start = Math.floor(from / pageSize) * pageSize;
  const end = Math.min(start + pageSize, size);
  for (let i = from + 1; i < end; i += 1) if (!done.has(i)) return i;
  for (let i = start; i < Math.min(from, end); i += 1) if (!done.has(i)) return i;
  return null;
}

/** @param {Set<number>} done @param {number} size */
export function firstLeft(done, size) {
  for (let i = 0; i < size; i += 1) if (!done.has(i)) return i;
  return null;
}
