// What is drawn, as values: pure functions of drawings, superpixels and pages.

export const round4 = (value) => Math.round(value * 1e4) / 1e4;

export function clock(seconds) {
  const whole = Math.max(Math.ceil(seconds), 0);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export function distance(a, b) {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

// The vertex under a point, as [polygon, vertex]; polygon -1 is the one still open.
export function vertexAt(drawing, point, reach) {
  const all = [[-1, drawing.open], ...drawing.polygons.map((p, i) => [i, p])];
  let best = null;
  let nearest = reach;
  for (const [polygon, vertices] of all) {
    vertices.forEach((vertex, index) => {
      const d = distance(vertex, point);
      if (d <= nearest) {
        nearest = d;
        best = [polygon, index];
      }
    });
  }
  return best;
}

export function emptyDrawing() {
  return { points: [], regions: [], polygons: [], open: [] };
}

export function isEmpty(drawing) {
  return !(drawing.points.length + drawing.regions.length + drawing.polygons.length + drawing.open.length);
}

// Every step returns a new drawing, so that undo is going back to an old one.
export const steps = {
  addPoint: (d, point) => ({ ...d, points: [...d.points, point] }),
  toggleRegion: (d, label, point) => {
    const kept = d.regions.filter((region) => region.label !== label);
    return { ...d, regions: kept.length < d.regions.length ? kept : [...kept, { label, point }] };
  },
  addVertex: (d, point) => ({ ...d, open: [...d.open, point] }),
  close: (d) => ({ ...d, polygons: [...d.polygons, d.open], open: [] }),
  move: (d, [polygon, vertex], point) => replaceVertices(d, polygon, (all) => all.map((v, i) => (i === vertex ? point : v))),
  remove: (d, [polygon, vertex]) => replaceVertices(d, polygon, (all) => all.filter((_, i) => i !== vertex)),
};

function replaceVertices(d, polygon, change) {
  if (polygon < 0) return { ...d, open: change(d.open) };
  const polygons = d.polygons.map((p, i) => (i === polygon ? change(p) : p));
  return { ...d, polygons: polygons.filter((p) => p.length >= 3) };
}

// COCO's uncompressed run lengths of `labels == label`: column by column, zeros first.
export function runs(labels, height, width, label) {
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

// The drawing as study.annotation.Annotation, coordinates in [0, 1].
export function annotationOf(drawing, regions) {
  return {
    positive_points: drawing.points,
    negative_regions: drawing.regions.map(({ label, point }) => ({
      point,
      height: regions.height,
      width: regions.width,
      counts: runs(regions.labels, regions.height, regions.width, label),
    })),
    polygons: drawing.polygons,
  };
}

export function drawingOf(annotation, regions) {
  const labelAt = ([x, y]) => regions.labels[
    Math.min(Math.floor(y * regions.height), regions.height - 1) * regions.width
    + Math.min(Math.floor(x * regions.width), regions.width - 1)];
  return {
    points: annotation.positive_points,
    regions: regions ? annotation.negative_regions.map(({ point }) => ({ point, label: labelAt(point) })) : [],
    polygons: annotation.polygons,
    open: [],
  };
}

export function unpackRegions(buffer) {
  const values = new Uint16Array(buffer);
  return { height: values[0], width: values[1], labels: values.subarray(2) };
}

// The next image to do: after `from` on its page, then on it from its start; null when it is done.
export function nextOnPage(from, done, size, pageSize) {
  const start = Math.floor(from / pageSize) * pageSize;
  const end = Math.min(start + pageSize, size);
  for (let i = from + 1; i < end; i += 1) if (!done.has(i)) return i;
  for (let i = start; i < Math.min(from, end); i += 1) if (!done.has(i)) return i;
  return null;
}

export function firstLeft(done, size) {
  for (let i = 0; i < size; i += 1) if (!done.has(i)) return i;
  return null;
}
