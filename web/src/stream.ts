/** Faces of a frame, and faces followed through the frames of a video, as runtime/recognizer.py gives them. */
import type { FloatBox } from "./boxes.js";
import { cropFace, round } from "./crop.js";
import type { Detector } from "./detector.js";
import type { Frame } from "./pixels.js";
import { Expression, THRESHOLD, MARGIN, TIME_CONSTANT_S, UNCERTAIN } from "./smoothing.js";
import { Tracker } from "./tracking.js";
import type { Box, Card, CropRule, Face, StreamOptions } from "./types.js";

/** Of a frame with more faces than this, so many are scored and the others keep what they showed. */
const FACES_PER_FRAME = 4;

/** A face of 48 * 48 gray bytes in, its scores out. */
export type Classify = (face: Uint8Array) => Float32Array;

/** Detector and model, ready to use. */
export interface Eyes {
  readonly detector: Detector;
  readonly classify: Classify;
  readonly card: Card;
}

/** The faces of a frame that has nothing to do with others, the surest first. */
export function facesOf(eyes: Eyes, frame: Frame): Face[] {
  const { labels } = eyes.card;
  return eyes.detector.detect(frame).map(({ box, confidence }) => {
    const whole = wholePixels(box);
    const scores = scoresOf(eyes, frame, whole);
    return face({ box: whole, confidence, labels, scores, label: likeliest(labels, scores) });
  });
}

/** What a stream knows of a face: the frame in which it was last scored, and what came of it. */
interface Known {
  readonly expression: Expression;
  readonly frame: number;
  readonly frameScores: Float32Array;
  readonly scores: Float32Array;
  readonly label: string;
}

/** The frames of one video or camera, in which faces keep their ids. */
export class FaceStream {
  readonly #eyes: Eyes;
  readonly #options: StreamOptions;
  readonly #tracker: Tracker;
  readonly #known = new Map<number, Known>();
  #frames = 0;

  constructor(eyes: Eyes, options: StreamOptions) {
    this.#eyes = eyes;
    this.#options = options;
    this.#tracker = new Tracker(eyes.detector, options.detectEvery);
  }

  /** How often the detector was asked. */
  get detections(): number {
    return this.#tracker.detections;
  }

  reset(): void {
    this.#tracker.reset();
    this.#known.clear();
  }

  /** The faces of the next frame, the longest known first. */
  next(frame: Frame, timeS: number): Face[] {
    const { labels } = this.#eyes.card;
    const tracks = this.#tracker.follow(frame, timeS);
    const boxes = new Map(tracks.map((track) => [track.id, wholePixels(track.box)]));
    if (this.#options.smoothing === false) {
      return tracks.map(({ id, confidence }) => {
        const scores = scoresOf(this.#eyes, frame, boxes.get(id)!);
        return face({
          id,
          box: boxes.get(id)!,
          confidence,
          labels,
          scores,
          label: likeliest(labels, scores),
        });
      });
    }
    for (const id of this.#due([...boxes.keys()])) this.#score(id, frame, boxes.get(id)!, timeS);
    this.#frames += 1;
    const alive = new Set(this.#tracker.tracks.map((track) => track.id));
    for (const id of this.#known.keys()) if (!alive.has(id)) this.#known.delete(id);
    return tracks.map(({ id, confidence }) => {
      const { scores, label, frameScores } = this.#known.get(id)!;
      return face({ id, box: boxes.get(id)!, confidence, labels, scores, label, frameScores });
    });
  }

  #score(id: number, frame: Frame, box: Box, timeS: number): void {
    const frameScores = scoresOf(this.#eyes, frame, box);
    const expression = this.#known.get(id)?.expression ?? this.#newExpression();
    this.#known.set(id, {
      expression,
      frame: this.#frames,
      frameScores,
      ...expression.update(frameScores, timeS),
    });
  }

  #newExpression(): Expression {
    const { smoothing, margin, threshold } = this.#options;
    const timeConstantS = typeof smoothing === "number" ? smoothing : TIME_CONSTANT_S;
    return new Expression(this.#eyes.card.labels, timeConstantS, margin ?? MARGIN, threshold ?? THRESHOLD);
  }

  /** Which of the faces are scored in this frame: new ones, and of the known ones those that waited longest. */
  #due(ids: number[]): number[] {
    const known = ids.filter((id) => this.#known.has(id));
    known.sort((one, other) => this.#known.get(one)!.frame - this.#known.get(other)!.frame);
    const due = new Set([...ids.filter((id) => !this.#known.has(id)), ...known.slice(0, FACES_PER_FRAME)]);
    return ids.filter((id) => due.has(id));
  }
}

function scoresOf({ detector, classify, card }: Eyes, frame: Frame, box: Box): Float32Array {
  const rule: CropRule = detector.cropFor(card);
  return classify(cropFace(frame, box, rule));
}

type Parts = Pick<Face, "box" | "label" | "scores" | "labels" | "confidence"> & {
  id?: number;
  frameScores?: Float32Array;
};

function face({ id, frameScores, ...parts }: Parts): Face {
  const { label, labels, scores } = parts;
  const uncertain = label === UNCERTAIN && !labels.includes(UNCERTAIN);
  const score = uncertain ? Math.max(...scores) : scores[labels.indexOf(label)];
  return {
    ...parts,
    score,
    id: id ?? null,
    frameScores: frameScores ?? null,
    smoothed: frameScores !== undefined,
    uncertain,
  };
}

function likeliest(labels: readonly string[], scores: Float32Array): string {
  return labels[scores.indexOf(Math.max(...scores))];
}

/** A box rounded to the one that is cropped and shown. */
function wholePixels([x, y, width, height]: FloatBox): Box {
  return [round(x), round(y), Math.max(1, round(width)), Math.max(1, round(height))];
}
