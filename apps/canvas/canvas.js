// The canvas: pointer and keys in, a drawing and its history out, painted once a frame.

const VERTEX = 5;

// One image under annotation. `interface` is click or polygon.
class Canvas {
  constructor(base, top, onChange, onTell) {
    Object.assign(this, { base, top, onChange, onTell });
    this.opacity = 0.55;
    this.enabled = false;
    this.hover = null;
    this.drag = null;
    this.cursor = null;
    this.clear();
    top.addEventListener("contextmenu", (e) => e.preventDefault());
    top.addEventListener("auxclick", (e) => e.preventDefault());
    top.addEventListener("mousedown", (e) => { if (e.button === 1) e.preventDefault(); });
    top.addEventListener("pointerdown", (e) => this.press(e));
    top.addEventListener("pointermove", (e) => this.move(e));
    top.addEventListener("pointerup", (e) => this.lift(e));
    top.addEventListener("pointerleave", () => { this.hover = null; this.paint(); });
    new ResizeObserver(() => { this.fit(); this.paintBase(); this.paint(); }).observe(top);
  }

  clear() {
    this.item = null;
    this.history = [emptyDrawing()];
    this.at = 0;
    this.actions = [];
    this.drag = null;
    this.target = null;
    this.paintBase();
    this.paint();
  }

  load(item, drawing, actions) {
    this.item = item;
    this.history = [drawing];
    this.at = 0;
    this.actions = actions;
    this.drag = null;
    this.fit();
    this.paintBase();
    this.paint();
  }

  get drawing() { return this.history[this.at]; }

  get canUndo() { return this.at > 0; }

  get canRedo() { return this.at < this.history.length - 1; }

  log(event, kind, point) {
    const t = round4(this.item.clock.elapsed(event.timeStamp) / 1000);
    this.actions.push(point ? { t, kind, x: round4(point[0]), y: round4(point[1]) } : { t, kind });
  }

  change(event, kind, drawing, point) {
    this.log(event, kind, point);
    this.history = [...this.history.slice(0, this.at + 1), drawing];
    this.at += 1;
    this.changed();
  }

  changed() {
    this.paintBase();
    this.paint();
    this.onChange();
  }

  undo(event) {
    if (!this.enabled || !this.canUndo) return;
    this.at -= 1;
    this.log(event, "undo");
    this.changed();
  }

  redo(event) {
    if (!this.enabled || !this.canRedo) return;
    this.at += 1;
    this.log(event, "redo");
    this.changed();
  }

  cancel(event) {
    if (this.enabled && !isEmpty(this.drawing)) this.change(event, "cancel", emptyDrawing());
  }

  // where on the image an event is, in [0, 1]; null beside it
  locate(event) {
    const box = this.top.getBoundingClientRect();
    const r = this.area;
    const x = ((event.clientX - box.left) * this.top.width / box.width - r.x) / r.w;
    const y = ((event.clientY - box.top) * this.top.height / box.height - r.y) / r.h;
    if (x < -0.02 || y < -0.02 || x > 1.02 || y > 1.02) return null;
    return [Math.min(Math.max(x, 0), 1), Math.min(Math.max(y, 0), 1)].map(round4);
  }

  // how near to a corner counts as on it; corners may be close together, so it is not far
  get reach() { return 6 * (window.devicePixelRatio || 1) / this.area.w; }

  press(event) {
    event.preventDefault();
    this.top.focus({ preventScroll: true });
    if (!this.enabled || !this.item) return;
    const point = this.locate(event);
    if (!point) return;
    if (this.item.onPress) this.item.onPress(event, point);
    else if (event.button === 0) this.left(event, point);
    else if (event.button === 2) this.right(event, point);
    else if (event.button === 1 && this.item.interface === "click") this.cancel(event);
  }

  left(event, point) {
    const drawing = this.drawing;
    if (this.item.interface === "click") {
      this.change(event, "positive", steps.addPoint(drawing, point), point);
      return;
    }
    const hit = vertexAt(drawing, point, this.reach);
    const first = drawing.open.length >= 3 && distance(drawing.open[0], point) <= 1.5 * this.reach;
    if (first) this.close(event);
    else if (hit) {
      this.drag = { vertex: hit, moved: false, drawing };
      if (event.pointerId !== undefined) this.top.setPointerCapture(event.pointerId);
    } else this.change(event, "vertex", steps.addVertex(drawing, point), point);
  }

  right(event, point) {
    if (this.item.interface === "polygon") {
      const hit = vertexAt(this.drawing, point, this.reach);
      if (hit) this.change(event, "delete", steps.remove(this.drawing, hit), point);
      return;
    }
    const regions = this.item.regions;
    if (!regions) {
      this.onTell("One moment: the regions of this image are still loading.");
      return;
    }
    const y = Math.min(Math.floor(point[1] * regions.height), regions.height - 1);
    const x = Math.min(Math.floor(point[0] * regions.width), regions.width - 1);
    const label = regions.labels[y * regions.width + x];
    const marked = this.drawing.regions.some((region) => region.label === label);
    this.change(event, marked ? "delete" : "negative", steps.toggleRegion(this.drawing, label, point), point);
  }

  move(event) {
    const point = this.locate(event);
    this.cursor = null;
    this.hover = point;
    if (this.drag && point) {
      this.drag.moved = true;
      this.drag.drawing = steps.move(this.drag.drawing, this.drag.vertex, point);
    }
    if (this.item) this.paint();
  }

  lift(event) {
    const drag = this.drag;
    this.drag = null;
    if (drag && drag.moved) {
      const [polygon, vertex] = drag.vertex;
      const point = (polygon < 0 ? drag.drawing.open : drag.drawing.polygons[polygon])[vertex];
      this.change(event, "move", drag.drawing, point);
    } else if (drag) this.paint();
  }

  close(event) {
    if (this.drawing.open.length >= 3) this.change(event, "close", steps.close(this.drawing), this.drawing.open[0]);
  }

  deleteHovered(event) {
    const at = this.cursor || this.hover;
    const hit = at && vertexAt(this.drawing, at, this.reach);
    if (hit) this.change(event, "delete", steps.remove(this.drawing, hit), at);
  }

  // the arrow keys move a cursor, so that nothing needs a mouse
  steer(dx, dy) {
    const from = this.cursor || this.hover || [0.5, 0.5];
    this.cursor = [from[0] + dx, from[1] + dy].map((v) => round4(Math.min(Math.max(v, 0), 1)));
    this.hover = this.cursor;
    this.paint();
  }

  // -- painting

  fit() {
    const scale = window.devicePixelRatio || 1;
    const side = Math.max(Math.round(this.top.clientWidth * scale), 1);
    for (const canvas of [this.base, this.top]) {
      if (canvas.width !== side) { canvas.width = side; canvas.height = side; }
    }
    const image = this.item && this.item.image;
    const ratio = image ? image.naturalWidth / image.naturalHeight : 1;
    const w = side * Math.min(ratio, 1);
    const h = side * Math.min(1 / ratio, 1);
    this.area = { x: (side - w) / 2, y: (side - h) / 2, w, h };
  }

  paintBase() {
    if (!this.area) this.fit();
    const context = this.base.getContext("2d");
    context.clearRect(0, 0, this.base.width, this.base.height);
    if (!this.item) return;
    const { x, y, w, h } = this.area;
    context.imageSmoothingQuality = "high";
    if (this.item.image) context.drawImage(this.item.image, x, y, w, h);
    if (this.item.overlay && this.opacity > 0) {
      context.globalAlpha = this.opacity;
      context.drawImage(this.item.overlay, x, y, w, h);
      context.globalAlpha = 1;
    }
    const marked = this.drawing.regions;
    if (marked.length && this.item.regions) {
      const mask = stencil(this.item.regions, new Set(marked.map((region) => region.label)));
      context.drawImage(hatched(mask, Math.round(w), Math.round(h)), x, y);
    }
  }

  paint() {
    if (this.painting) return;
    this.painting = true;
    requestAnimationFrame(() => { this.painting = false; this.paintTop(); });
  }

  paintTop() {
    const context = this.top.getContext("2d");
    context.clearRect(0, 0, this.top.width, this.top.height);
    if (!this.item || !this.area) return;
    const { x, y, w, h } = this.area;
    const scale = window.devicePixelRatio || 1;
    const place = (point) => [x + point[0] * w, y + point[1] * h];
    const drawing = this.drag ? this.drag.drawing : this.drawing;
    context.lineWidth = 2 * scale;
    if (this.target) ring(context, place(this.target.point), this.target.radius * w, scale);
    drawing.points.forEach((point) => cross(context, place(point), 9 * scale, "#12b04c"));
    drawing.regions.forEach(({ point }) => dot(context, place(point), 4 * scale, "#e03127"));
    drawing.polygons.forEach((polygon) => outline(context, polygon.map(place), true, scale));
    if (drawing.open.length) {
      const tail = this.hover && !this.drag ? [this.hover] : [];
      outline(context, [...drawing.open, ...tail].map(place), false, scale, drawing.open.length);
    }
    if (this.cursor) cross(context, place(this.cursor), 12 * scale, "#1f5fa8");
  }
}

function sheetOf(width, height) {
  const sheet = document.createElement("canvas");
  sheet.width = width;
  sheet.height = height;
  return [sheet, sheet.getContext("2d")];
}

// the regions with these labels, opaque on transparent
function stencil(regions, labels) {
  const [sheet, context] = sheetOf(regions.width, regions.height);
  const pixels = context.createImageData(regions.width, regions.height);
  for (let i = 0; i < regions.labels.length; i += 1) {
    if (labels.has(regions.labels[i])) pixels.data[i * 4 + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
  return sheet;
}

// a mask as dark grey with red lines, so that it is not taken for the red of the attention map
function hatched(mask, width, height) {
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

function cross(context, [x, y], size, colour) {
  for (const [width, stroke] of [[size * 0.55, "#fff"], [size * 0.3, colour]]) {
    context.lineWidth = width;
    context.strokeStyle = stroke;
    context.beginPath();
    context.moveTo(x - size, y);
    context.lineTo(x + size, y);
    context.moveTo(x, y - size);
    context.lineTo(x, y + size);
    context.stroke();
  }
}

function dot(context, [x, y], radius, colour) {
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.fillStyle = colour;
  context.fill();
  context.strokeStyle = "#fff";
  context.stroke();
}

function ring(context, [x, y], radius, scale) {
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.fillStyle = "rgba(31, 95, 168, .15)";
  context.fill();
  context.lineWidth = 4 * scale;
  context.strokeStyle = "#1f5fa8";
  context.stroke();
}

function outline(context, vertices, closed, scale, handles = vertices.length) {
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
  context.strokeStyle = "#12803c";
  context.stroke(path);
  vertices.slice(0, handles).forEach((vertex, i) => dot(context, vertex, VERTEX * scale, !closed && i === 0 ? "#f5a300" : "#12803c"));
}
