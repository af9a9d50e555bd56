/** The page's side: options, sources, and the worker that does the work. */
import { FerkitError, textOf, type ErrorCode } from "./errors.js";
import type { Answer, Carded, Opened, Opening, Question } from "./messages.js";
import { checkOptions, checkStreamOptions } from "./options.js";
import {
  BUILDS,
  DEFAULT_DETECTOR,
  DEFAULT_MODEL,
  DETECTORS,
  MODELS,
  type Place,
  type Released,
} from "./released.js";
import { currentTimeS, grab, isLive, LiveVideos, unreadable } from "./sources.js";
import type { Card, Face, Live, RecognizerOptions, Source, Stream, StreamOptions } from "./types.js";

/** Finds and labels faces: `for (const face of await recognize(source)) face.box, face.label, face.scores`. */
export interface Recognizer {
  /**
   * The faces of an image, or of what a video or camera shows now.
   *
   * Each image is answered by itself. Of a video or camera the newest frame wins: a call waits for a frame that was
   * not looked at, and calls made meanwhile share its answer. Its faces are followed from call to call.
   */
  (source: Source): Promise<Face[]>;
  /** Something to hand frames of one video or camera to by oneself, in order. */
  stream(options?: StreamOptions): Stream;
  /** The model's labels, in the order of `scores`. */
  readonly labels: readonly string[];
  /** The model's card. */
  readonly card: Card;
  /** The detector's name. */
  readonly detector: string;
  /** The engine's threads, after what the page allows. */
  readonly threads: number;
  /** Frames of videos and cameras that were shown while another one was looked at. */
  readonly dropped: number;
  /** Frees everything; every call afterwards is refused. */
  close(): void;
}

export const Recognizer = {
  /** Loads model, detector and engine. Rejects with a `FerkitError`. */
  async create(options: RecognizerOptions = {}): Promise<Recognizer> {
    checkOptions(options);
    const session = new Session(options);
    const opened = await session.open();
    const recognize = (source: Source) => session.recognize(source);
    return Object.defineProperties(recognize, {
      stream: { value: (streamOptions: StreamOptions = {}) => session.stream(streamOptions) },
      labels: { value: Object.freeze([...opened.card.labels]) },
      card: { value: opened.card },
      detector: { value: opened.detector },
      threads: { value: opened.threads },
      dropped: { get: () => session.dropped },
      close: { value: () => session.close() },
    }) as unknown as Recognizer;
  },
};

type Settle = { resolve(answer: Opened | Face[]): void; reject(error: Error): void };

/** One worker, and who waits for its answers. */
class Session {
  readonly #options: RecognizerOptions;
  readonly #videos = new LiveVideos();
  readonly #waiting = new Map<number | null, Settle>(); // null: the opening
  readonly #queued = new Map<HTMLVideoElement, Promise<Face[]>>(); // the next look at a video, not begun yet
  readonly #looking = new WeakMap<HTMLVideoElement, Promise<unknown>>();
  readonly #streams = new WeakMap<HTMLVideoElement, { id: number; source: string }>();
  #worker: Worker | undefined;
  #numbers = 0;
  #failure: FerkitError | undefined;

  constructor(options: RecognizerOptions) {
    this.#options = options;
  }

  get dropped(): number {
    return this.#videos.dropped;
  }

  open(): Promise<Opened> {
    if (typeof WebAssembly !== "object") {
      throw new FerkitError(
        "no-webassembly",
        "This browser has no WebAssembly, or the page's policy forbids it.",
      );
    }
    this.#worker = startWorker(this.#options.baseUrl);
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => this.#settle(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      const text = event.message || "its file is missing, or the page's Content-Security-Policy forbids it";
      this.#fail(
        new FerkitError(
          "no-worker",
          `ferkit's worker can't run: ${text}. Serve ferkit's folder as a whole; in Vite's development server before ` +
            'version 8 set optimizeDeps.exclude to ["ferkit"].',
        ),
      );
    };
    return this.#send<Opened>(null, openingOf(this.#options));
  }

  /** The faces of an image, or of the newest frame of a video. */
  async recognize(source: Source): Promise<Face[]> {
    this.#check();
    if (!isLive(source)) return this.#look(source, null, 0);
    const video = await this.#videoOf(source);
    let queued = this.#queued.get(video);
    if (!queued) {
      const before = this.#looking.get(video) ?? Promise.resolve();
      queued = before
        .catch(() => {})
        .then(() => this.#videos.nextFrame(video))
        .then(() => {
          this.#queued.delete(video);
          const looking = this.#lookAt(video);
          this.#looking.set(video, looking);
          return looking;
        });
      this.#queued.set(video, queued);
    }
    return queued;
  }

  stream(options: StreamOptions): Stream {
    this.#check();
    checkStreamOptions(options);
    const id = ++this.#numbers;
    const given = Object.entries(options).filter(([, value]) => value !== undefined);
    const chosen: StreamOptions = { ...streamOptions(this.#options), ...Object.fromEntries(given) };
    let before: Promise<unknown> = Promise.resolve();
    const next = async (frame: Source, timeS = performance.now() / 1000) => {
      this.#check();
      if (!Number.isFinite(timeS)) {
        throw new FerkitError(
          "option",
          `Expected timeS as a finite number of seconds, got ${timeS}.`,
          "timeS",
        );
      }
      const grabbed = isLive(frame) ? this.#videoOf(frame).then(grab) : grab(frame);
      // Frames are read at once and may be ready in another order: each waits for the one before.
      const both = Promise.allSettled([grabbed, before]);
      before = both.then(() => grabbed).then((pixels) => this.#ask(pixels, { id, options: chosen }, timeS));
      return before as Promise<Face[]>;
    };
    const forgetFaces = () => this.#worker?.postMessage({ kind: "reset", stream: id });
    // In its turn, too: frames that were handed over before are still to be looked at.
    return Object.assign(next, { reset: () => void (before = before.then(forgetFaces, forgetFaces)) });
  }

  close(): void {
    this.#fail(new FerkitError("closed", "This recognizer was closed: make a new one."));
  }

  async #videoOf(source: Live): Promise<HTMLVideoElement> {
    for (const ended of this.#videos.takeEnded()) this.#forget(ended);
    try {
      return await this.#videos.videoOf(source);
    } catch (error) {
      this.#check(); // closed meanwhile
      throw error;
    }
  }

  #forget(video: HTMLVideoElement): void {
    const stream = this.#streams.get(video);
    if (stream) this.#worker!.postMessage({ kind: "forget", stream: stream.id });
    this.#streams.delete(video);
  }

  #lookAt(video: HTMLVideoElement): Promise<Face[]> {
    this.#check();
    const source = video.srcObject instanceof MediaStream ? video.srcObject.id : video.currentSrc;
    let stream = this.#streams.get(video);
    if (!stream || stream.source !== source) {
      this.#forget(video);
      stream = { id: ++this.#numbers, source };
      this.#streams.set(video, stream);
    }
    this.#videos.count(video);
    return this.#look(video, { id: stream.id, options: streamOptions(this.#options) }, currentTimeS(video));
  }

  async #look(
    source: Exclude<Source, MediaStream>,
    stream: Question["stream"],
    timeS: number,
  ): Promise<Face[]> {
    return this.#ask(await grab(source), stream, timeS);
  }

  #ask(pixels: ImageBitmap | ImageData, stream: Question["stream"], timeS: number): Promise<Face[]> {
    const id = ++this.#numbers;
    const bitmaps = pixels instanceof ImageData ? [] : [pixels];
    try {
      return this.#send<Face[]>(id, { kind: "frame", id, pixels, stream, timeS }, bitmaps);
    } catch (error) {
      for (const bitmap of bitmaps) bitmap.close();
      throw error instanceof FerkitError ? error : unreadable("The source", error);
    }
  }

  #send<T extends Opened | Face[]>(
    id: number | null,
    request: Opening | Question,
    transfer: Transferable[] = [],
  ): Promise<T> {
    this.#check();
    this.#worker!.postMessage(request, transfer);
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as Settle["resolve"], reject });
    });
  }

  #settle(answer: Answer): void {
    if (answer.kind === "error") {
      const error = new FerkitError(answer.code, answer.message, answer.subject);
      if (answer.id === null) this.#fail(error);
      this.#waiting.get(answer.id)?.reject(error);
      this.#waiting.delete(answer.id);
      return;
    }
    const id = answer.kind === "opened" ? null : answer.id;
    this.#waiting.get(id)?.resolve(answer.kind === "opened" ? answer : answer.faces);
    this.#waiting.delete(id);
  }

  /** Ends the worker: whoever waits and whoever asks gets the error. */
  #fail(error: FerkitError): void {
    this.#failure ??= error;
    this.#worker?.terminate();
    this.#videos.close();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #check(): void {
    if (!this.#failure) return;
    const { code, message, subject } = this.#failure;
    throw new FerkitError(code as ErrorCode, message, subject);
  }
}

function startWorker(baseUrl: string | URL | undefined): Worker {
  try {
    if (baseUrl === undefined)
      return new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "ferkit" });
    return new Worker(new URL("worker.js", folderOf(baseUrl)), { type: "module", name: "ferkit" });
  } catch (error) {
    throw new FerkitError(
      "no-worker",
      `ferkit's worker can't be started: ${textOf(error)}. Its files have to come ` +
        "from the page's own origin, and the Content-Security-Policy has to allow worker-src 'self'.",
    );
  }
}

function openingOf({
  model = DEFAULT_MODEL,
  detector = DEFAULT_DETECTOR,
  threads = 1,
  baseUrl,
}: RecognizerOptions): Opening {
  const folder = baseUrl === undefined ? undefined : folderOf(baseUrl);
  const address = ({ path, url }: Place) => (folder ? new URL(path, folder) : url).href;
  const build = ({ glue, wasm, script = glue }: (typeof BUILDS)[string]) => ({
    glue: address(glue),
    wasm: address(wasm),
    script: address(script),
  });
  return {
    kind: "open",
    builds: {
      plain: build(BUILDS.plain),
      compatible: build(BUILDS.compatible),
      threaded: build(BUILDS.threaded),
    },
    model: placeOf(MODELS, model, address),
    detector: placeOf(DETECTORS, detector, address),
    threads,
  };
}

/** Where a file and its card are: of a released one the card is known. */
function placeOf<C>(
  table: Record<string, Released<C>>,
  chosen: string | URL,
  address: (place: Place) => string,
): Carded<C> {
  const released = Object.hasOwn(table, String(chosen)) ? table[String(chosen)] : undefined;
  if (released) return { url: address(released), card: released.card };
  const url = new URL(chosen, document.baseURI);
  const card = new URL(url);
  card.pathname += ".json";
  return { url: url.href, card: card.href };
}

function folderOf(baseUrl: string | URL): string {
  const { href } = new URL(baseUrl, document.baseURI);
  return href.endsWith("/") ? href : `${href}/`;
}

function streamOptions({ smoothing, threshold, margin, detectEvery }: StreamOptions): StreamOptions {
  return { smoothing, threshold, margin, detectEvery };
}
