/** What `ferkit run --json` writes: a line of JSON for each face of a frame. */
import type { Face } from "./types.js";

/** Where a frame comes from. */
export interface Sample {
  /** The video, camera or image by name. */
  source: string;
  /** The frame's number in the source, from 0. */
  frame: number;
  timeS: number;
}

/** The lines of one frame, each with a line feed; docs/command-line.md describes the fields. */
export function jsonLines({ source, frame, timeS }: Sample, faces: readonly Face[]): string {
  return faces
    .map((face, number) => `${JSON.stringify(record(source, frame, timeS, face, number))}\n`)
    .join("");
}

function record(source: string, frame: number, timeS: number, face: Face, number: number) {
  return {
    source,
    frame,
    time_s: rounded(timeS, 3),
    face: number,
    id: face.id,
    box: [...face.box],
    label: face.label,
    scores: Object.fromEntries(face.labels.map((label, index) => [label, rounded(face.scores[index], 6)])),
    smoothed: face.smoothed,
    confidence: rounded(face.confidence, 6),
  };
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
