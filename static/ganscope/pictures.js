// Pictures inside a plot: a grid of images, and the ground of a plane coloured by p(real).

import { mixed, rgb } from "./colors.js";

// An image as the bytes of an uncompressed BMP file, which Plotly shows as they are: a canvas would have to be read back.
export class Bitmap {
  constructor(width, height) {
    this.stride = (3 * width + 3) & ~3;
    this.height = height;
    this.bytes = new Uint8Array(54 + this.stride * height);
    const head = new DataView(this.bytes.buffer);
    head.setUint16(0, 0x424d);
    head.setUint32(2, this.bytes.length, true);
    head.setUint32(10, 54, true);
    head.setUint32(14, 40, true);
    head.setInt32(18, width, true);
    head.setInt32(22, height, true);
    head.setUint16(26, 1, true);
    head.setUint16(28, 24, true);
    head.setUint32(34, this.stride * height, true);
  }

  // Where the three bytes of a pixel begin, blue first; y counts from the top.
  at(x, y) {
    return 54 + (this.height - 1 - y) * this.stride + 3 * x;
  }

  set(x, y, [red, green, blue]) {
    const to = this.at(x, y);
    this.bytes[to] = blue;
    this.bytes[to + 1] = green;
    this.bytes[to + 2] = red;
  }

  uri() {
    const parts = [];
    for (let i = 0; i < this.bytes.length; i += 8192)
      parts.push(String.fromCharCode.apply(null, this.bytes.subarray(i, i + 8192)));
    return `data:image/bmp;base64,${btoa(parts.join(""))}`;
  }
}

// A trace's `tiles` become one texture: each image with a border, so that a frame can be painted around it.
const BORDER = 1;

export function lay(trace, colors) {
  const { pixels, shape, columns, frames } = trace.tiles;
  const [n, height, width, channels] = shape;
  const [w, h] = [width + 2 * BORDER, height + 2 * BORDER];
  const rows = Math.ceil(n / columns);
  const texture = new Bitmap(columns * w, rows * h);
  const { bytes } = texture;
  const ground = rgb(colors.$bg);
  const scale = frames && ["$fake", "$bg", "$real"].map((name) => rgb(colors[name]));
  const [green, blue] = channels > 1 ? [1, 2] : [0, 0];
  for (let i = 0; i < columns * rows; i++) {
    const [left, top] = [(i % columns) * w, Math.floor(i / columns) * h];
    const edge = scale && i < n ? mixed(frames[i], scale) : ground;
    for (let y = 0; y < h; y++)
      for (let x = 0; x < w; x++) {
        const inside = i < n && x >= BORDER && x < w - BORDER && y >= BORDER && y < h - BORDER;
        if (inside) x = w - BORDER - 1; // those come below
        else texture.set(left + x, top + y, edge);
      }
    if (i >= n) continue;
    let from = i * height * width * channels;
    for (let y = 0; y < height; y++) {
      let to = texture.at(left + BORDER, top + BORDER + y);
      for (let x = 0; x < width; x++, to += 3, from += channels) {
        bytes[to] = pixels[from + blue];
        bytes[to + 1] = pixels[from + green];
        bytes[to + 2] = pixels[from];
      }
    }
  }
  trace.source = texture.uri();
  Object.assign(trace, { dx: 1 / w, dy: 1 / h, x0: -0.5 + 0.5 / w, y0: -0.5 + 0.5 / h });
  delete trace.tiles;
}

// A trace `heat`, p(real) over a part of the plane, becomes an image, a colour bar and points that only hover shows.
// (Plotly's own heat map reads a canvas back.)
const HEAT = ["$fakeTint", "$mid", "$realTint"];

export function warm(trace, colors, layout) {
  const { name, center, reach, z } = trace;
  const side = z.length;
  const [dx, dy] = reach.map((half) => (2 * half) / (side - 1));
  const [x0, y0] = center.map((middle, axis) => middle - reach[axis]);
  const scale = HEAT.map((color) => rgb(colors[color]));
  const ground = new Bitmap(side, side);
  const points = { x: new Float32Array(side * side), y: new Float32Array(side * side), p: new Float32Array(side * side) };
  for (let row = 0, i = 0; row < side; row++)
    for (let column = 0; column < side; column++, i++) {
      points.p[i] = z[row][column];
      points.x[i] = x0 + column * dx;
      points.y[i] = y0 + row * dy;
      ground.set(column, side - 1 - row, mixed(Math.min(1, Math.max(0, points.p[i])), scale));
    }
  const image = { xref: "x", yref: "y", x: x0 - dx / 2, y: y0 - dy / 2, xanchor: "left", yanchor: "bottom" };
  const size = { sizex: side * dx, sizey: side * dy, sizing: "stretch", layer: "below" };
  layout.images = [{ ...image, ...size, source: ground.uri() }];
  const none = { type: "scatter", showlegend: false, name };
  const hover = { ...none, mode: "none", x: points.x, y: points.y, customdata: points.p, hovertemplate: trace.hovertemplate };
  const colorscale = HEAT.map((color, i) => [i / 2, colors[color]]);
  const marker = { color: [0], cmin: 0, cmax: 1, colorscale, showscale: true, colorbar: trace.colorbar };
  return [hover, ...(layout.showlegend ? [{ ...none, mode: "markers", x: [null], y: [null], hoverinfo: "skip", marker }] : [])];
}
