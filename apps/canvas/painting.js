// @ts-check
// How a drawing looks: strokes on a 2D context. Places are canvas pixels.

/**
 * @typedef {[number, number]} Place
 * @typedef {import("./drawing.js").Regions} Regions
 */

const VERTEX = 5;
const MARK = "#0b6e4f";
export const YES = "#12b04c";
export const NO = "#e03127";
export const CURSOR = "#1f5fa8";

/** @param {number} width @param {number} height @returns {[HTMLCanvasElement, CanvasRenderingContext2D]} */
function sheetOf(width, height) {
  const sheet = document.createElement("canvas");
  sheet.width = width;
  sheet.height = height;
  return [sheet, /** @type {CanvasRenderingContext2D} */ (sheet.getContext("2d"))];
}

/** The regions with these labels, opaque on transparent. @param {Regions} regions @param {Set<number>} labels */
export function stencil(regions, labels) {
  const [sheet, context] = sheetOf(regions.width, regions.height);
  const pixels = context.createImageData(regions.width, regions.height);
  for (let i = 0; i < regions.labels.length; i += 1) {
    if (labels.has(regions.labels[i])) pixels.data[i * 4 + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
  return sheet;
}

/**
 * A mask as dark grey with red lines, so that it is not taken for attention.
 * @param {HTMLCanvasElement} mask @param {number} width @param {number} height
 */
export function hatched(mask, width, height) {
  const [sheet, context] = sheetOf(width, height);
  context.drawImage(mask, 0, 0, width, height);
  context.globalCompositeOperation = "source-in";
  context.fillStyle = "rgba(30, 30, 34, .5)";
  context.fillRect(0, 0, width, height);
  context.globalCompositeOperation = "source-atop";
  context.strokeStyle = "rgba(225, 50, 38, .85)";
  context.lineWidth = 2;
  context.beginPath();
  for (let x = -height; x < width; x += 14) {
    context.moveTo(x, height);
    context.lineTo(x + height, 0);
  }
  context.stroke();
  return sheet;
}

/** A mask in yellow with a dark rim. @param {HTMLCanvasElement} mask @param {number} width @param {number} height */
export function tinted(mask, width, height) {
  const [rim, around] = sheetOf(width, height);
  for (const [dx, dy] of [[-2, 0], [2, 0], [0, -2], [0, 2]]) around.drawImage(mask, dx, dy, width, height);
  around.globalCompositeOperation = "destination-out";
  around.drawImage(mask, 0, 0, width, height);
  around.globalCompositeOperation = "source-in";
  around.fillStyle = "rgba(16, 20, 26, .9)";
  around.fillRect(0, 0, width, height);
  const [sheet, context] = sheetOf(width, height);
  context.drawImage(mask, 0, 0, width, height);
  context.globalCompositeOperation = "source-in";
  context.fillStyle = "rgba(255, 210, 63, .45)";
  context.fillRect(0, 0, width, height);
  context.globalCompositeOperation = "source-over";
  context.drawImage(rim, 0, 0);
  return sheet;
}

/** The colours of an image on the cells of regions, four values each. @param {HTMLImageElement} image @param {Regions} regions */
export function coloursOf(image, { width, height }) {
  const [, context] = sheetOf(width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, width, height);
  return context.getImageData(0, 0, width, height).data;
}

/** A plus or a minus. @param {CanvasRenderingContext2D} context @param {Place} place @param {number} size @param {string} colour @param {boolean} plus */
export function sign(context, [x, y], size, colour, plus) {
  for (const [width, stroke] of /** @type {[number, string][]} */ ([[1, "#10141a"], [0.75, "#fff"], [0.4, colour]])) {
    context.lineWidth = size * width;
    context.strokeStyle = stroke;
    context.beginPath();
    context.moveTo(x - size, y);
    context.lineTo(x + size, y);
    if (plus) { context.moveTo(x, y - size); context.lineTo(x, y + size); }
    context.stroke();
  }
}

/** @param {CanvasRenderingContext2D} context @param {Place} place @param {number} size @param {string} colour */
export function cross(context, [x, y], size, colour) {
  // a dark rim too: a green cross on something green is seen
  for (const [width, stroke] of /** @type {[number, string][]} */ ([[0.75, "#10141a"], [0.55, "#fff"], [0.3, colour]])) {
    context.lineWidth = size * width;
    context.strokeStyle = stroke;
    context.beginPath();
    context.moveTo(x - size, y);
    context.lineTo(x + size, y);
    context.moveTo(x, y - size);
    context.lineTo(x, y + size);
    context.stroke();
  }
}

/** @param {CanvasRenderingContext2D} context @param {Place} place @param {number} radius @param {string} colour */
export function dot(context, [x, y], radius, colour) {
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.fillStyle = colour;
  context.fill();
  context.strokeStyle = "#fff";
  context.stroke();
}

/** @param {CanvasRenderingContext2D} context @param {Place} place @param {number} radius @param {number} scale */
export function ring(context, [x, y], radius, scale) {
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.fillStyle = "rgba(31, 95, 168, .15)";
  context.fill();
  context.lineWidth = 4 * scale;
  context.strokeStyle = CURSOR;
  context.stroke();
}

/**
 * @param {CanvasRenderingContext2D} context @param {Place[]} vertices @param {boolean} closed
 * @param {number} scale @param {number} handles how many vertices get one
 */
export function outline(context, vertices, closed, scale, handles = vertices.length) {
  const path = new Path2D();
  vertices.forEach(([x, y], i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)));
  if (closed) {
    path.closePath();
    context.fillStyle = "rgba(18, 176, 76, .22)";
    context.fill(path, "evenodd");
  }
  context.lineWidth = 4 * scale;
  context.strokeStyle = "rgba(255, 255, 255, .8)";
  context.stroke(path);
  context.lineWidth = 2 * scale;
  context.strokeStyle = MARK;
  context.stroke(path);
  vertices.slice(0, handles).forEach((vertex, i) => dot(context, vertex, VERTEX * scale, !closed && i === 0 ? "#f5a300" : MARK));
}

/** What was wanted in practice: dashed, beside what was drawn. @param {CanvasRenderingContext2D} context @param {Place[]} vertices @param {number} scale */
export function wanted(context, vertices, scale) {
  const path = new Path2D();
  vertices.forEach(([x, y], i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)));
  path.closePath();
  context.setLineDash([]);
  context.lineWidth = 5 * scale;
  context.strokeStyle = "rgba(16, 20, 26, .8)";
  context.stroke(path);
  context.setLineDash([8 * scale, 6 * scale]);
  context.lineWidth = 3 * scale;
  context.strokeStyle = "#ffd23f";
  context.stroke(path);
  context.setLineDash([]);
}

/**
 * @param {CanvasRenderingContext2D} context @param {[Place, Place]} corners @param {Place[]} points what was pressed
 * @param {number} scale
 */
export function rectangle(context, [[left, top], [right, bottom]], points, scale) {
  outline(context, [[left, top], [right, top], [right, bottom], [left, bottom]], true, scale, 0);
  points.forEach((point) => dot(context, point, 4 * scale, MARK));
}

/**
 * What strokes leave, green; an eraser takes away what was there before it.
 * @param {import("./drawing.js").Stroke[]} strokes @param {number} width @param {number} height of the canvas
 * @param {(point: [number, number]) => Place} place @param {number} side of the image
 */
export function painted(strokes, width, height, place, side) {
  const [sheet, context] = sheetOf(width, height);
  context.lineCap = "round";
  context.lineJoin = "round";
  for (const { points, across, erase } of strokes) {
    context.globalCompositeOperation = erase ? "destination-out" : "source-over";
    context.lineWidth = 2 * across * side;
    context.beginPath();
    points.forEach((point, i) => { const [x, y] = place(point); if (i) context.lineTo(x, y); else context.moveTo(x, y); });
    const [x, y] = place(points[points.length - 1]);
    context.lineTo(x, y + 0.01);
    context.stroke();
  }
  // one tint, however often a place was painted
  context.globalCompositeOperation = "source-in";
  context.fillStyle = "rgba(18, 176, 76, .5)";
  context.fillRect(0, 0, width, height);
  return sheet;
}

/** The brush. @param {CanvasRenderingContext2D} context @param {Place} place @param {number} radius @param {number} scale */
export function circle(context, [x, y], radius, scale) {
  for (const [width, stroke] of /** @type {[number, string][]} */ ([[3, "rgba(16, 20, 26, .7)"], [1.5, "#fff"]])) {
    context.lineWidth = width * scale;
    context.strokeStyle = stroke;
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    context.stroke();
  }
}
