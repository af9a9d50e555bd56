/**
 * LiteRT.js: a .tflite file as a function.
 *
 * The WebAssembly build of `@litertjs/core` 2.5.3 is called through its own binding. The JavaScript around
 * it can't be loaded in a module worker (`importScripts`), and asks for a GPU that is not used here.
 */
import { FerkitError, textOf } from "./errors.js";

/** A loaded network: the numbers of its one input in, those of its outputs out. */
export interface Network {
  /** Names of the outputs, in the order of `run`. */
  readonly outputs: readonly string[];
  readonly inputShape: readonly number[];
  readonly outputShapes: readonly (readonly number[])[];
  run(input: Float32Array): Float32Array[];
}

/** The files of one build of LiteRT.js. */
export interface Build {
  /** The glue as a module, which exports `default`. */
  glue: string;
  /** The same as a script, which threads run. */
  script: string;
  /** The WebAssembly, gzipped or not. */
  wasm: string;
}

interface Deletable {
  delete(): void;
}
interface List<T> extends Deletable {
  size(): number;
  get(index: number): T;
}
interface TensorType extends Deletable {
  elementType(): { value: number };
  layout(): Deletable & { dimensions(): List<number> };
  bytes(): number;
}
interface TensorBuffer extends Deletable {
  lock(mode: unknown): number;
  unlock(): void;
  packedSize(): number;
}
interface Signature extends Deletable {
  inputNames(): List<string>;
  outputNames(): List<string>;
}
interface Model extends Deletable {
  getSignature(index: number): Signature;
  getInputTensorType(signature: number, input: number): TensorType;
  getOutputTensorType(signature: number, output: number): TensorType;
}
interface CompiledModel extends Deletable {
  run(signature: number, inputs: TensorBuffer[]): TensorBuffer[];
}

/** What LiteRT.js's WebAssembly offers, as far as it is used. */
export interface LiteRt {
  HEAPU8: Uint8Array;
  _malloc(size: number): number;
  _free(place: number): void;
  setupLogging(): void;
  LiteRtEnvironment: { create(device: null): unknown };
  LiteRtTensorBuffer: {
    createManaged(environment: unknown, kind: unknown, type: TensorType, size: number): TensorBuffer;
  };
  LiteRtTensorBufferType: { HOST_MEMORY: unknown };
  LiteRtTensorBufferLockMode: { READ: unknown; WRITE: unknown };
  loadModel(environment: unknown, place: number, size: number): Model;
  compileModel(environment: unknown, model: Model, options: object): CompiledModel | Promise<CompiledModel>;
}

const FLOAT32 = 1;

/** Loads LiteRT.js. */
export async function loadLiteRt(build: Build): Promise<LiteRt> {
  const compiled = compile(build.wasm);
  // The glue waits for `done` alone: what goes wrong before it has to be said here.
  let fail: (error: unknown) => void;
  const failed = new Promise<never>((_, reject) => (fail = reject));
  failed.catch(() => {});
  compiled.catch((error: unknown) => fail(error));
  const { default: factory } = await import(/* @vite-ignore */ /* webpackIgnore: true */ build.glue);
  const options = {
    // Threads start this script again.
    mainScriptUrlOrBlob: build.script,
    instantiateWasm(
      imports: WebAssembly.Imports,
      done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
    ) {
      compiled
        .then(async (module) => done(await WebAssembly.instantiate(module, imports), module))
        .catch((error: unknown) => fail(error));
      return {};
    },
    print() {},
    printErr() {},
  };
  const litert: LiteRt = await Promise.race([factory(options), failed]);
  litert.setupLogging();
  return litert;
}

/** Compiles the WebAssembly while it comes in. A server may have unpacked it already: its first bytes tell. */
async function compile(url: string): Promise<WebAssembly.Module> {
  const response = await fetched(url);
  const reader = response.body!.getReader();
  const first = await reader.read();
  const isGzip = first.value !== undefined && first.value[0] === 0x1f && first.value[1] === 0x8b;
  const rest = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => {
      if (first.value) controller.enqueue(first.value);
    },
    pull: async (controller) => {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
  const bytes = isGzip ? rest.pipeThrough(new DecompressionStream("gzip")) : rest;
  try {
    return await WebAssembly.compileStreaming(
      new Response(bytes, { headers: { "Content-Type": "application/wasm" } }),
    );
  } catch (error) {
    throw new FerkitError(
      "no-webassembly",
      `${url}: the WebAssembly can't be compiled: ${textOf(error)}. Take a browser of 2023 or newer, and allow ` +
        "'wasm-unsafe-eval' in the page's Content-Security-Policy.",
      url,
    );
  }
}

/** Fetches a file. @param advice what to do where it is missing */
export async function fetched(
  url: string,
  advice = "Serve ferkit's folder as a whole, or set baseUrl to it.",
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (error) {
    throw new FerkitError(
      "file",
      `${url}: can't be fetched: ${textOf(error)}. Check the address and the network.`,
      url,
    );
  }
  if (response.ok) return response;
  throw new FerkitError("file", `${url}: expected a file, got status ${response.status}. ${advice}`, url);
}

/** Opens a .tflite file with one float32 input. */
export async function openNetwork(
  litert: LiteRt,
  file: Uint8Array,
  name: string,
  threads: number,
): Promise<Network> {
  try {
    return await open(litert, file, threads);
  } catch (error) {
    if (error instanceof FerkitError) throw error;
    throw new FerkitError(
      "model",
      `${name}: can't be run by LiteRT.js: ${textOf(error)}. Expected a TFLite file with built-in operators, ` +
        "static shapes and float32 input and output, as `python -m export` writes them.",
      name,
    );
  }
}

async function open(litert: LiteRt, file: Uint8Array, threads: number): Promise<Network> {
  const environment = litert.LiteRtEnvironment.create(null);
  const place = litert._malloc(file.length); // the model reads from it as long as it lives
  litert.HEAPU8.set(file, place);
  const model = litert.loadModel(environment, place, file.length);
  const signature = model.getSignature(0);
  const outputs = valuesOf(signature.outputNames());
  const inputs = valuesOf(signature.inputNames());
  if (inputs.length !== 1) throw new Error(`expected one input, got ${inputs.length}`);
  const inputType = model.getInputTensorType(0, 0);
  const types = [inputType, ...outputs.map((_, index) => model.getOutputTensorType(0, index))];
  if (types.some((type) => type.elementType().value !== FLOAT32))
    throw new Error("expected float32 input and output");
  const compiled = await litert.compileModel(environment, model, {
    environment: undefined,
    accelerator: "wasm",
    cpuOptions: { numThreads: threads },
    gpuOptions: {},
    webNNOptions: {},
  });
  const kind = litert.LiteRtTensorBufferType.HOST_MEMORY;
  const size = inputType.bytes();
  const input = litert.LiteRtTensorBuffer.createManaged(environment, kind, inputType, size);
  return {
    outputs,
    inputShape: shapeOf(inputType),
    outputShapes: types.slice(1).map(shapeOf),
    run(numbers: Float32Array): Float32Array[] {
      if (numbers.byteLength !== size) throw new Error(`expected ${size / 4} numbers, got ${numbers.length}`);
      write(litert, input, numbers);
      return compiled.run(0, [input]).map((buffer) => read(litert, buffer));
    },
  };
}

function write(litert: LiteRt, buffer: TensorBuffer, numbers: Float32Array): void {
  const place = buffer.lock(litert.LiteRtTensorBufferLockMode.WRITE);
  litert.HEAPU8.set(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength), place);
  buffer.unlock();
}

/** Copies an output's numbers and frees it. */
function read(litert: LiteRt, buffer: TensorBuffer): Float32Array {
  const place = buffer.lock(litert.LiteRtTensorBufferLockMode.READ);
  const bytes = litert.HEAPU8.slice(place, place + buffer.packedSize());
  buffer.unlock();
  buffer.delete();
  return new Float32Array(bytes.buffer);
}

function shapeOf(type: TensorType): number[] {
  const layout = type.layout();
  const shape = valuesOf(layout.dimensions());
  layout.delete();
  return shape;
}

function valuesOf<T>(list: List<T>): T[] {
  const values = Array.from({ length: list.size() }, (_, index) => list.get(index));
  list.delete();
  return values;
}
