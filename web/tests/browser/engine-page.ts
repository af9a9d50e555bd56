/** Runs inside the browser: a model file through the engine, without a detector. */
import { loadLiteRt, openNetwork } from "../../src/engine.js";

declare global {
  interface Window {
    scoresOf(build: string, model: string, faces: number[][], threads: number): Promise<number[][]>;
  }
}

window.scoresOf = async (build, model, faces, threads) => {
  const at = (name: string) => new URL(`litert/${name}`, location.href).href;
  const script = build === "threaded" ? at("threads.js") : at(`${build}.js`);
  const litert = await loadLiteRt({ glue: at(`${build}.js`), wasm: at(`${build}.wasm.gz`), script });
  const file = new Uint8Array(await (await fetch(model)).arrayBuffer());
  const network = await openNetwork(litert, file, model, threads);
  return faces.map((face) => Array.from(network.run(Float32Array.from(face))[0]));
};
