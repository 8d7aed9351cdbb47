// Points of a plane, on one plain canvas.

// A trace `dots` is drawn on one plain canvas over the plot: WebGL is not everywhere, a browser has but few of its
// contexts, and Plotly takes three for a plot. Plotly itself knows the points for hover, and a symbol for the legend.
export function dotted(trace) {
  const { marker } = trace;
  const name = trace.legend ?? trace.name;
  const about = { type: "scatter", name, legendgroup: name };
  const points = { ...about, mode: "none", showlegend: false, x: trace.x, y: trace.y, hovertemplate: trace.hovertemplate, dots: marker };
  return [points, { ...about, mode: "markers", x: [null], y: [null], marker, hoverinfo: "skip" }];
}

function sprite({ color, size }, ratio) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.ceil(size * ratio) + 2;
  const context = canvas.getContext("2d");
  context.fillStyle = color;
  context.arc(canvas.width / 2, canvas.width / 2, (size * ratio) / 2, 0, 2 * Math.PI);
  context.fill();
  return canvas;
}

// The canvas over one plot, which is Plotly's `node`.
export class Dots {
  constructor(node) {
    this.node = node;
    this.canvas = null;
  }

  // Draws the points of the plot's `dots` where its axes are now.
  draw() {
    const full = this.node._fullLayout;
    const traces = (this.node._fullData ?? []).filter((t) => t._input.dots && t.visible === true);
    if (!full || (!traces.length && !this.canvas)) return;
    this.canvas ??= Object.assign(document.createElement("canvas"), {
      style: "position: absolute; inset: 0; width: 100%; height: 100%; pointer-events: none",
    });
    if (!this.canvas.isConnected) this.node.querySelector(".gl-container").append(this.canvas);
    const ratio = window.devicePixelRatio || 1;
    const size = [Math.round(full.width * ratio), Math.round(full.height * ratio)];
    if (this.canvas.width !== size[0]) this.canvas.width = size[0];
    if (this.canvas.height !== size[1]) this.canvas.height = size[1];
    const context = this.canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, ...size);
    const { xaxis, yaxis } = full;
    context.save();
    context.beginPath();
    context.rect(...[xaxis._offset, yaxis._offset, xaxis._length, yaxis._length].map((length) => length * ratio));
    context.clip();
    const [left, right] = xaxis.range;
    const [bottom, top] = yaxis.range;
    const kx = (ratio * xaxis._length) / (right - left);
    const ky = (ratio * yaxis._length) / (top - bottom);
    for (const { _input } of traces) {
      const { x, y, dots } = _input;
      const stamp = sprite(dots, ratio);
      const x0 = ratio * xaxis._offset - left * kx - stamp.width / 2;
      const y0 = ratio * (yaxis._offset + yaxis._length) + bottom * ky - stamp.width / 2;
      context.globalAlpha = dots.opacity;
      for (let i = 0; i < x.length; i++) context.drawImage(stamp, Math.round(x0 + kx * x[i]), Math.round(y0 - ky * y[i]));
    }
    context.restore();
  }
}
