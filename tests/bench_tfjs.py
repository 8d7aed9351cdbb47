"""The engine against GAN Lab's own: TensorFlow.js in a real browser, the same network in the same run.

`npm install @tensorflow/tfjs @tensorflow/tfjs-backend-wasm` in some folder, then `python -m tests.bench_tfjs FOLDER`
prints steps/s of each of its backends, of this engine, and their ratio. Both take turns, each counts with its median.
"""

import argparse
import statistics
from pathlib import Path

from playwright.sync_api import Page, Route, sync_playwright

from gan_core.benchmarks import speed
from gan_core.foundations.machine import cores
from tests.conftest import chromium_path

NETWORK = "2-32-32, batch 150"
SCRIPTS = ("tfjs/dist/tf.min.js", "tfjs-backend-wasm/dist/tf-backend-wasm.min.js")
ORIGIN = "http://localhost"  # nothing is asked of a network: `answer` has all of it
BACKENDS = ("wasm", "cpu", "webgl")

# Written as GAN Lab's: layers of weights in variables, a `minimize` for each network; read back every ten steps only.
LOOP = """
async ([backend, batch, units, seconds]) => {
  tf.wasm.setWasmPaths(location.origin + "/tfjs-backend-wasm/dist/");
  if (!(await tf.setBackend(backend))) return 0;
  await tf.ready();
  const dense = (widths) => widths.slice(1).map((out, i) => [
    tf.variable(tf.randomUniform([widths[i], out], -1, 1).mul(Math.sqrt(6 / (widths[i] + out)))),
    tf.variable(tf.zeros([out]))]);
  const run = (layers, x) => layers.reduce((h, [w, b], i) => {
    const y = h.matMul(w).add(b);
    return i + 1 < layers.length ? y.leakyRelu(0.2) : y;
  }, x);
  const g = dense([2, units, units, 2]), d = dense([2, units, units, 1]);
  const angle = tf.randomUniform([10000], 0, 2 * Math.PI), radius = tf.randomUniform([10000]).sqrt();
  const data = tf.stack([angle.cos().mul(radius), angle.sin().mul(radius)], 1);
  const adam = { g: tf.train.adam(2e-4, 0.5), d: tf.train.adam(2e-4, 0.5) };
  const entropy = (logits, label) =>
    tf.losses.sigmoidCrossEntropy(label ? tf.onesLike(logits) : tf.zerosLike(logits), logits);
  const step = () => {
    adam.d.minimize(() => {
      const real = data.gather(tf.randomUniform([batch], 0, 10000, "int32"));
      return entropy(run(d, real), 1).add(entropy(run(d, run(g, tf.randomNormal([batch, 2]))), 0));
    }, false, d.flat());
    adam.g.minimize(() => entropy(run(d, run(g, tf.randomNormal([batch, 2]))), 1), false, g.flat());
  };
  for (let i = 0; i < 20; i++) step();
  await g[0][0].data();
  const started = performance.now();
  let n = 0;
  while (performance.now() - started < 1000 * seconds) {
    for (let i = 0; i < 10; i++) step();
    await g[0][0].data();
    n += 10;
  }
  return n / (performance.now() - started) * 1000;
}
"""


def page_with(folder: Path, page: Page) -> None:
    """Opens an empty page that has TensorFlow.js."""

    def answer(route: Route) -> None:
        path = folder / "node_modules/@tensorflow" / route.request.url.removeprefix(f"{ORIGIN}/")
        if route.request.url == f"{ORIGIN}/":
            scripts = "".join(f'<script src="/{script}"></script>' for script in SCRIPTS)
            # Isolated, so that the backend may use threads.
            isolated = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
            route.fulfill(body=f"<!doctype html>{scripts}", content_type="text/html", headers=isolated)
        elif path.is_file():
            route.fulfill(path=path)
        else:
            route.fulfill(status=404)

    page.route("**/*", answer)
    page.goto(f"{ORIGIN}/")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where npm has installed TensorFlow.js")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    for script in SCRIPTS:
        if not (args.folder / "node_modules/@tensorflow" / script).is_file():
            parser.error(f"{args.folder} has no @tensorflow/{script}: npm install it there.")
    network = speed.NETWORKS[NETWORK]
    engine = speed.Engine(speed.config_of(network))
    speeds: dict[str, list[float]] = {name: [] for name in (*BACKENDS, "engine")}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        page = browser.new_page()
        page_with(args.folder, page)
        version = page.evaluate("tf.version.tfjs")
        for _ in range(args.rounds):
            for name in BACKENDS:
                asked = [name, network["batch_size"], network["units"], args.seconds]
                speeds[name].append(page.evaluate(LOOP, asked))
            speeds["engine"].append(engine.speed(args.seconds))
        browser.close()
    median = {name: statistics.median(values) for name, values in speeds.items()}
    print(f"{cores()} cores, TensorFlow.js {version}; {NETWORK}; medians of {args.rounds} rounds of {args.seconds:g} s")
    for name in BACKENDS:
        print(f"TensorFlow.js, {name:6} {median[name]:9,.0f} steps/s")
    best = max(median[name] for name in BACKENDS)
    print(f"this engine           {median['engine']:9,.0f} steps/s, {median['engine'] / best:.0f} x the best of them")


if __name__ == "__main__":
    main()
