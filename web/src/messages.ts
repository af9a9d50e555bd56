/** What the page and the worker say to each other. */
import type { Build } from "./engine.js";
import type { ErrorCode } from "./errors.js";
import type { Card, DetectorCard, Face, StreamOptions } from "./types.js";

/** A model file's address, and its card or the address of that. */
export interface Carded<C> {
  url: string;
  card: C | string;
}

/** The files that the worker opens, as whole addresses. */
export interface Opening {
  kind: "open";
  builds: Record<"plain" | "compatible" | "threaded", Build>;
  model: Carded<Card>;
  /** BlazeFace's file has no card. */
  detector: Carded<DetectorCard | null>;
  threads: number;
}

/** A frame to look at. */
export interface Question {
  kind: "frame";
  id: number;
  pixels: ImageBitmap | ImageData;
  /** The stream that it belongs to; null: a still image. */
  stream: { id: number; options: StreamOptions } | null;
  timeS: number;
}

export type Request = Opening | Question | { kind: "reset" | "forget"; stream: number };

/** What the recognizer is made of. */
export interface Opened {
  card: Card;
  detector: string;
  threads: number;
}

export type Answer =
  | ({ kind: "opened" } & Opened)
  | { kind: "faces"; id: number; faces: Face[] }
  | { kind: "error"; id: number | null; code: ErrorCode; message: string; subject: string | undefined };
