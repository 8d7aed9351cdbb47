// Frames come as bytes (pages/ui/components/liveplot.py packs them), and by two ways: the order among them is here.

const TYPES = { f4: Float32Array, i4: Int32Array, u1: Uint8Array };

// {"$": [offset, count, type]} or {"$": ..., "rows": n} stand for buffers behind the JSON.
export function unpack(bytes) {
  const copy = bytes.slice(); // aligned, and ours to keep
  const size = new DataView(copy.buffer).getUint32(0, true);
  const base = 4 + size;
  const text = new TextDecoder().decode(copy.subarray(4, base));
  return JSON.parse(text, (_, value) => {
    if (!value || typeof value !== "object" || !value.$) return value;
    const [offset, count, type] = value.$;
    const array = new TYPES[type](copy.buffer, base + offset, count);
    if (!value.rows) return array;
    const width = count / value.rows;
    return Array.from({ length: value.rows }, (_row, i) => array.subarray(i * width, (i + 1) * width));
  });
}

// Frames of one feed come by two ways, the script's drawing and the feed itself; the later one is not always newer.
export function older(place, than) {
  return Boolean(place && than && place[0] === than[0] && place[1] < than[1]);
}
