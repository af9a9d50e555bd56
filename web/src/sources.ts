/** Where frames come from: images, canvases, videos, cameras. */
import { FerkitError, textOf } from "./errors.js";
import type { Live, Source, Still } from "./types.js";

// A page that isn't seen is told of no frames: then the video is looked at all the same.
const LONGEST_WAIT_MS = 250;

export function isLive(source: Source): source is Live {
  return isA(source, "HTMLVideoElement") || isA(source, "MediaStream");
}

/** The pixels that a source shows now, as something that can be handed to a worker. */
export async function grab(source: Still | HTMLVideoElement): Promise<ImageBitmap | ImageData> {
  if (!isReadable(source)) {
    throw new FerkitError(
      "source",
      "Expected a video, camera stream, image, canvas, ImageBitmap or ImageData with at least one pixel, got " +
        `${nameOf(source)}. Wait until an image is decoded (image.decode()) or a video has data (loadeddata).`,
    );
  }
  if (isA(source, "ImageData") && isBytes(source as ImageData)) return source as ImageData;
  try {
    return await createImageBitmap(source);
  } catch (error) {
    throw unreadable(nameOf(source), error);
  }
}

/** Why a source's pixels can't be read. Some browsers say it only when they are handed to the worker. */
export function unreadable(name: string, error: unknown): FerkitError {
  return new FerkitError(
    "source",
    `${name}: its pixels can't be read: ${textOf(error)}. Wait until it is loaded; one from elsewhere has to be ` +
      "served with CORS, and loaded with crossOrigin.",
  );
}

/** A video's time in seconds; of a camera now. */
export function currentTimeS(video: HTMLVideoElement): number {
  return video.srcObject ? performance.now() / 1000 : video.currentTime;
}

/** Opens a camera. Rejects with a `FerkitError` that says which of the usual reasons it was. */
export async function openCamera(constraints: MediaTrackConstraints = {}): Promise<MediaStream> {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw isSecureContext
      ? new FerkitError("no-camera", "This browser gives pages no camera.")
      : new FerkitError(
          "insecure-origin",
          "Cameras need https or localhost: serve the page from one of them.",
        );
  }
  const video = { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: "user", ...constraints };
  try {
    return await navigator.mediaDevices.getUserMedia({ video, audio: false });
  } catch (error) {
    throw cameraError(error);
  }
}

function cameraError(error: unknown): FerkitError {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") {
    return new FerkitError(
      "permission-denied",
      "The camera is not allowed here: allow it in the browser's settings.",
    );
  }
  if (name === "NotFoundError" || name === "OverconstrainedError") {
    return new FerkitError("no-camera", "There is no camera, or none of this kind: connect one.");
  }
  return new FerkitError(
    "camera-busy",
    `The camera can't be opened (${name || error}): another program may have it.`,
  );
}

/** The videos that are looked at, and how many of their frames nobody looked at. */
export class LiveVideos {
  dropped = 0;
  readonly #ofStreams = new Map<MediaStream, HTMLVideoElement>();
  readonly #shown = new WeakMap<HTMLVideoElement, number>();
  #isClosed = false;

  /** A source's video; a camera's stream gets one that nobody sees. */
  async videoOf(source: Live): Promise<HTMLVideoElement> {
    if (!isA(source, "MediaStream")) return source as HTMLVideoElement;
    const stream = source as MediaStream;
    if (!stream.getVideoTracks().some((track) => track.readyState === "live")) {
      throw new FerkitError(
        "source",
        "Expected a stream with a live video track, got one without: it has ended, or is no camera's. Open it again.",
      );
    }
    let video = this.#ofStreams.get(stream);
    if (!video) {
      video = Object.assign(document.createElement("video"), {
        srcObject: stream,
        muted: true,
        playsInline: true,
      });
      this.#ofStreams.set(stream, video);
    }
    try {
      if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) await video.play();
    } catch (error) {
      throw new FerkitError("source", `The stream can't be played: ${textOf(error)}. Open it again.`);
    }
    return video;
  }

  /** Lets the streams go that have ended; returns their videos. */
  takeEnded(): HTMLVideoElement[] {
    const ended = [...this.#ofStreams].filter(([stream]) => !stream.active);
    return ended.map(([stream, video]) => {
      this.#ofStreams.delete(stream);
      video.srcObject = null;
      return video;
    });
  }

  /** Waits until a video that plays shows another frame than the one that was looked at last. */
  async nextFrame(video: HTMLVideoElement): Promise<void> {
    // One that jumps has no frame before it is there.
    while (video.seeking && !video.error && !this.#isClosed)
      await soon((done) => video.addEventListener("seeked", done, { once: true }));
    const shown = this.#shown.get(video);
    if (shown === undefined || framesOf(video) > shown || video.paused || video.ended) return;
    if (!("requestVideoFrameCallback" in video)) return;
    await soon((done) => video.requestVideoFrameCallback(done));
  }

  /** Counts a look at a video. */
  count(video: HTMLVideoElement): void {
    const shown = framesOf(video);
    const before = this.#shown.get(video);
    if (before !== undefined && shown > before) this.dropped += shown - before - 1;
    this.#shown.set(video, shown);
  }

  close(): void {
    this.#isClosed = true;
    for (const video of this.#ofStreams.values()) video.srcObject = null;
    this.#ofStreams.clear();
  }
}

/** Waits until `done` is called, and no longer than `LONGEST_WAIT_MS`. */
function soon(begin: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(resolve, LONGEST_WAIT_MS);
    begin(() => (clearTimeout(late), resolve()));
  });
}

/** Frames that a video has shown so far. */
function framesOf(video: HTMLVideoElement): number {
  return video.getVideoPlaybackQuality?.().totalVideoFrames ?? 0;
}

/** Whether there is something to read, by kind: an image that failed to load has no width. */
function isReadable(source: unknown): boolean {
  if (isA(source, "HTMLVideoElement")) return (source as HTMLVideoElement).readyState >= 2;
  if (isA(source, "HTMLImageElement")) return (source as HTMLImageElement).naturalWidth > 0;
  if (isA(source, "ImageData")) return (source as ImageData).data.length > 0; // none once it was transferred
  const kinds = ["HTMLCanvasElement", "OffscreenCanvas", "ImageBitmap"];
  return (
    kinds.some((kind) => isA(source, kind)) &&
    (source as ImageBitmap).width * (source as ImageBitmap).height > 0
  );
}

/** Whether it holds sRGB bytes, which need no conversion. */
function isBytes({ data, colorSpace }: ImageData): boolean {
  return data instanceof Uint8ClampedArray && (colorSpace ?? "srgb") === "srgb";
}

/** Whether it is of a class that this browser may lack. */
function isA(value: unknown, name: string): boolean {
  const kind = (globalThis as Record<string, unknown>)[name];
  return typeof kind === "function" && value instanceof kind;
}

function nameOf(value: unknown): string {
  return value === null || value === undefined
    ? String(value)
    : (Object(value).constructor?.name ?? typeof value);
}
