/** `x, y, width, height` in whole pixels of the frame; it may stick out of it. */
export type Box = readonly [number, number, number, number];

/** A face that was found and labelled. */
export interface Face {
  readonly box: Box;
  /** The likeliest label; where the stream smooths, the steady one, which may be "uncertain". */
  readonly label: string;
  /** The probability of `label`; of the likeliest label where it is "uncertain". */
  readonly score: number;
  /** Probabilities in the order of `labels`. */
  readonly scores: Float32Array;
  readonly labels: readonly string[];
  /** How sure the detector is that this is a face, 0 to 1. */
  readonly confidence: number;
  /** The same for one face through the frames of a video or camera; null in still images. */
  readonly id: number | null;
  /** What the model gave for this frame alone, where `scores` are smoothed; else null. */
  readonly frameScores: Float32Array | null;
  /** Whether `label` and `scores` are smoothed over time. */
  readonly smoothed: boolean;
  /** Whether no label was likely enough to be shown. */
  readonly uncertain: boolean;
}

/** An image: each call looks at all of it, faces have no ids. */
export type Still = HTMLImageElement | HTMLCanvasElement | OffscreenCanvas | ImageBitmap | ImageData;

/** A video, or a camera's stream: faces are followed from call to call. */
export type Live = HTMLVideoElement | MediaStream;

export type Source = Still | Live;

/** How faces are followed through frames; the words, units and defaults of Python's `Recognizer.stream`. */
export interface StreamOptions {
  /**
   * Time constant of the mean over time, in seconds. False: each frame's own scores and their likeliest label.
   * @default 1
   */
  smoothing?: number | boolean;
  /**
   * The probability below which "uncertain" is shown, 0 to 1.
   * @default 0.4
   */
  threshold?: number;
  /**
   * What another label's probability must be ahead by, to be shown instead, 0 to 1.
   * @default 0.1
   */
  margin?: number;
  /** Frames from one detection to the next. Left out: as many as the detector's measured time asks for. */
  detectEvery?: number;
}

export interface RecognizerOptions extends StreamOptions {
  /**
   * A released model's name, or the address of a .tflite file whose card lies beside it.
   * @default "edge"
   */
  model?: string | URL;
  /**
   * A released detector's name, "ferkit" or "blazeface", or the address of a .tflite file whose card lies beside it.
   * @default "ferkit"
   */
  detector?: string | URL;
  /**
   * The engine's threads. More than one needs a page that is cross-origin isolated; elsewhere one is used.
   * @default 1
   */
  threads?: number;
  /** The folder that holds ferkit's files, where they are not beside the code. */
  baseUrl?: string | URL;
}

/** Takes the frames of one video or camera, in order: faces keep their ids. */
export interface Stream {
  /**
   * @param frame the next frame
   * @param timeS its time in seconds from any start; left out: now
   */
  (frame: Source, timeS?: number): Promise<Face[]>;
  /** Forgets every face. Ids are not used again. */
  reset(): void;
}

/** What every model file's card says, version 1; fields beyond these are kept as they are. */
export interface FileCard {
  card_version: number;
  file: string;
  model: string;
  precision: string;
  description: string;
  licence: string;
  page: string | null | undefined;
  sha256: string;
  bytes: number;
  input: Tensor & { range: number[] };
  parity: Record<string, unknown>;
  accuracy: Record<string, unknown> | null;
  versions: Record<string, string>;
}

/** The card of a model. */
export interface Card extends FileCard {
  labels: string[];
  input: FileCard["input"] & { crop: Record<string, CropRule> };
  output: Tensor;
}

/** The card of a face detector. */
export interface DetectorCard extends FileCard {
  kind: "detector";
  input: FileCard["input"] & { letterbox: { corner: string; fill: number } };
  /** x, y, width, height of each candidate in pixels of the input; how sure it is; its eyes. */
  outputs: Record<"boxes" | "confidences" | "eyes", Tensor>;
  /** A candidate below it is no face. */
  threshold: number;
  /** The largest intersection over union of two faces. */
  overlap: number;
}

export interface Tensor {
  name: string;
  /** The first is null where the file takes any number of faces. */
  shape: (number | null)[];
  dtype: string;
  quantization: unknown;
}

/** How large a detector's box is cut and where: a card's `input.crop` for that detector. */
export interface CropRule {
  /** The square's side in longer sides of the box. */
  scale: number;
  /** How far the square moves to the right, in sides of the square. */
  shift_x: number;
  /** How far the square moves down, in sides of the square. */
  shift_y: number;
}
