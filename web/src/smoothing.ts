/** Steady labels, as runtime/smoothing.py makes them: a mean over time, and a label that changes for a reason. */

export const TIME_CONSTANT_S = 1.0; // of the long mean: after so long a frame's weight has fallen to 1/e
const SHORT_TIME_CONSTANT_S = 0.1;
export const CHANGE = 0.3; // the expression has changed once so much probability has moved to other labels
export const MARGIN = 0.1; // by how much another label's probability must lead to be shown instead
const HOLD_S = 10.0; // for so long after a change of label the margin is larger ...
const HOLD_MARGINS = 2.0; // ... by this factor
const SETTLE_S = 0.5; // for so long after a change of expression the margin is the plain one
export const THRESHOLD = 0.4; // the probability that a label needs to be shown
const LONGEST_STEP_BACK_S = 1.0; // a larger step means that a clock was set back, or that a video begins again
export const UNCERTAIN = "uncertain";

/** A weighted mean of scores, as their weighted sum and the sum of the weights. */
interface Mean {
  readonly sum: Float64Array;
  readonly weight: number;
}

/** The mean with one more frame, in which `kept` is left of each older one's weight. */
function added(mean: Mean, scores: Float32Array, kept: number): Mean {
  return { sum: mean.sum.map((sum, index) => kept * sum + scores[index]), weight: kept * mean.weight + 1 };
}

/** The mean of a face's scores over time, which starts again where the expression changes. */
export class Smoother {
  /** When the mean last started again, as the times given. */
  restartedS = -Infinity;
  #long: Mean | undefined;
  #short: Mean | undefined;
  #timeS = -Infinity;

  /**
   * @param timeConstantS of the long mean; 0 gives the scores as they come
   * @param change the distance of the short mean above which it takes the long one's place
   */
  constructor(
    readonly timeConstantS: number = TIME_CONSTANT_S,
    readonly change: number = CHANGE,
  ) {}

  /** Takes in a frame's scores; returns the mean. A time before the last one counts as the last one. */
  add(scores: Float32Array, timeS: number): Float32Array {
    const elapsedS = timeS - this.#timeS;
    if (!(-LONGEST_STEP_BACK_S <= elapsedS && elapsedS < 0)) this.#timeS = timeS;
    const none = { sum: new Float64Array(scores.length), weight: 0 };
    const short = Math.min(SHORT_TIME_CONSTANT_S, this.timeConstantS);
    this.#long = added(this.#long ?? none, scores, decay(elapsedS, this.timeConstantS));
    this.#short = added(this.#short ?? none, scores, decay(elapsedS, short));
    if (distance(this.#long, this.#short) > this.change) {
      this.#long = this.#short;
      this.restartedS = timeS;
    }
    const { sum, weight } = this.#long;
    return Float32Array.from(sum, (value) => value / weight);
  }
}

/** Half the sum of the absolute differences of two means. */
function distance(one: Mean, other: Mean): number {
  let sum = 0;
  one.sum.forEach((value, index) => (sum += Math.abs(value / one.weight - other.sum[index] / other.weight)));
  return sum / 2;
}

/** What is left of a weight of 1 after a time. */
function decay(elapsedS: number, timeConstantS: number): number {
  return timeConstantS <= 0 ? 0 : Math.exp(-Math.max(0, elapsedS) / timeConstantS);
}

/**
 * The index of the label to show, `scores.length` for "uncertain".
 *
 * "Uncertain" is one more candidate whose probability is always `threshold`. The shown label stays until
 * another is ahead of it by more than `margin`; below `threshold` it gives way to "uncertain" at least.
 *
 * @param shown the index that was chosen last, undefined at first
 */
export function chooseLabel(
  scores: ArrayLike<number>,
  shown: number | undefined,
  margin: number = MARGIN,
  threshold: number = THRESHOLD,
): number {
  const candidates = [...Array.from(scores), threshold];
  const uncertain = scores.length;
  const best = candidates.indexOf(Math.max(...candidates));
  if (shown === undefined) return best;
  // Above a high threshold the margin could not be had.
  const needed = shown === uncertain ? Math.min(margin, (2 / 3) * (1 - threshold)) : margin;
  if (candidates[best] - candidates[shown] > needed) return best;
  return candidates[shown] >= threshold ? shown : uncertain;
}

/** What one face shows over time: its smoothed scores and its steady label. */
export class Expression {
  readonly #smoother: Smoother;
  #shown: number | undefined;
  #changedS = -Infinity; // when the label last changed while the expression didn't

  constructor(
    readonly labels: readonly string[],
    timeConstantS: number = TIME_CONSTANT_S,
    readonly margin: number = MARGIN,
    readonly threshold: number = THRESHOLD,
    change: number = CHANGE,
  ) {
    this.#smoother = new Smoother(timeConstantS, change);
  }

  /** Takes in a frame's scores; returns the smoothed ones and the label to show. */
  update(scores: Float32Array, timeS: number): { scores: Float32Array; label: string } {
    const smoothed = this.#smoother.add(scores, timeS);
    const settled = timeS - this.#smoother.restartedS;
    const settling = 0 <= settled && settled <= SETTLE_S;
    const since = timeS - this.#changedS;
    const held = !settling && 0 <= since && since < HOLD_S;
    const margin = this.margin * (held ? HOLD_MARGINS : 1);
    const shown = chooseLabel(smoothed, this.#shown, margin, this.threshold);
    if (settling) this.#changedS = -Infinity;
    else if (this.#shown !== undefined && shown !== this.#shown) this.#changedS = timeS;
    this.#shown = shown;
    return { scores: smoothed, label: this.labels[shown] ?? UNCERTAIN };
  }
}
