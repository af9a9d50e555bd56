/** Face detectors: a frame in, boxes out. */
import type { Detection } from "./boxes.js";
import type { Frame } from "./pixels.js";
import type { Card, CropRule } from "./types.js";

export type { Detection };

/** A loaded face detector. */
export interface Detector {
  readonly name: string;
  /** The faces of a frame, the surest first. */
  detect(frame: Frame): Detection[];
  /** How this detector's boxes are cut for a model. */
  cropFor(card: Card): CropRule;
}
