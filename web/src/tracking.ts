/** Faces followed from frame to frame, as runtime/tracking.py does: detection now and then, a search in between. */
import { associate, grown, overlap, type FloatBox } from "./boxes.js";
import type { Detection, Detector } from "./detector.js";
import type { Frame } from "./pixels.js";
import { makeTemplate, search, type Template } from "./template.js";

const DETECTION_BUDGET_MS = 1.0; // detection may take so many milliseconds a frame in the mean
const LONGEST_CADENCE = 12; // frames, 0.4 s of a camera
const LONGEST_WAIT_S = 0.4; // where frames come seldom: a new face waits no longer
const SHORTEST_WAIT_S = 0.11; // a fast detector rests so long: nobody sees a new face come 0.1 s earlier
const SURE = 0.6; // confidence: a face below it is shown once a second detection finds it
const LOST_S = 0.5; // from the first detection that misses a face until it is dropped
const REACH = 2.0; // boxes are matched after growing by it: a face that was not followed may have moved on
const LEAST_OVERLAP = 1 / 3; // of boxes so grown
const SAME_PLACE = 0.5; // overlap from which an unconfirmed face is taken for the confirmed one in its place
const TIMES_KEPT = 5;

/** A face with its number, which no other face of the same tracker ever has. */
export class Track {
  scale = 1;
  missedS: number | undefined;
  missed = 0;
  visible = true;
  found = 1;

  constructor(
    readonly id: number,
    public box: FloatBox,
    public confidence: number,
    public template: Template,
  ) {}

  /** Whether it is seen, and by a second detection where the first was not sure. */
  get shown(): boolean {
    return this.visible && (this.found > 1 || this.confidence >= SURE);
  }

  isLost(timeS: number): boolean {
    if (this.missedS === undefined || timeS - this.missedS <= LOST_S) return false;
    return this.missed > 1 || !this.visible;
  }

  /** Takes over what a detection found. */
  refresh(box: FloatBox, confidence: number, template: Template): void {
    Object.assign(this, { box, confidence, template, scale: 1, visible: true, missed: 0 });
    this.missedS = undefined;
    this.found += 1;
  }
}

/** Follows the faces of a sequence of frames. */
export class Tracker {
  tracks: Track[] = [];
  detections = 0;
  #next = 1;
  #since = 0; // frames since the last detection, that frame included
  #detectedS = 0; // the time of the last detection
  #detectorMs: number[] = [];
  #size = "";

  /**
   * @param detectEvery frames from one detection to the next; undefined: so many that detection takes
   *   `DETECTION_BUDGET_MS` of each frame
   * @param clockMs the time that a detection takes is read from it
   */
  constructor(
    readonly detector: Detector,
    readonly detectEvery: number | undefined = undefined,
    readonly clockMs: () => number = () => performance.now(),
  ) {}

  /** Frames from one detection to the next. */
  get cadence(): number {
    if (this.detectEvery !== undefined) return this.detectEvery;
    if (!this.#detectorMs.length) return 1;
    // The shortest of the last: what the machine was busy with besides is not the detector's time.
    const shortest = Math.min(...this.#detectorMs);
    return Math.min(Math.max(1, Math.ceil(shortest / DETECTION_BUDGET_MS)), LONGEST_CADENCE);
  }

  /** The faces visible in the next frame, the longest known first. */
  follow(frame: Frame, timeS: number): Track[] {
    const size = `${frame.width}x${frame.height}`;
    if (size !== this.#size) {
      this.tracks = [];
      this.#since = 0;
      this.#size = size;
    }
    this.#detectedS = Math.min(this.#detectedS, timeS);
    let astray = false;
    for (const track of this.tracks) {
      if (track.missedS !== undefined) track.missedS = Math.min(track.missedS, timeS);
      if (!track.visible) continue;
      const found = search(frame, track.template, track.box, track.scale);
      Object.assign(track, found);
      track.visible = found !== undefined;
      astray ||= !track.visible;
    }
    if (astray || this.#isDue(timeS)) {
      this.#detect(frame, timeS);
      this.#since = 0;
      this.#detectedS = timeS;
    }
    this.#since += 1;
    this.tracks = this.tracks.filter((track) => !track.isLost(timeS));
    return this.tracks.filter((track) => track.shown);
  }

  /** Forgets every face. */
  reset(): void {
    this.#size = "";
  }

  #isDue(timeS: number): boolean {
    if (this.#since === 0) return true;
    if (this.detectEvery !== undefined) return this.#since >= this.detectEvery;
    const waitedS = timeS - this.#detectedS;
    const isRested = this.#since >= this.cadence && waitedS >= SHORTEST_WAIT_S;
    return isRested || waitedS >= LONGEST_WAIT_S || this.#since >= LONGEST_CADENCE;
  }

  #detect(frame: Frame, timeS: number): void {
    const start = this.clockMs();
    const found = this.detector.detect(frame);
    this.#detectorMs = [...this.#detectorMs, this.clockMs() - start].slice(-TIMES_KEPT);
    this.detections += 1;
    const known = this.tracks.map((track) => track.box);
    const boxes = found.map((detection) => detection.box);
    const pairs = associate(known.map(reaching), boxes.map(reaching), LEAST_OVERLAP);
    const matched = new Set(pairs.values());
    this.tracks.forEach((track, index) => {
      if (!matched.has(index)) this.#miss(track, boxes, timeS);
    });
    found.forEach((detection, index) => this.#take(frame, detection, this.tracks[pairs.get(index) ?? -1]));
  }

  /**
   * Notes that a detection didn't find a face. One in the place of a face that was found went over to it;
   * and what only a single detection took for a face is shown no more until it is found again.
   */
  #miss(track: Track, boxes: FloatBox[], timeS: number): void {
    track.missedS ??= timeS;
    track.missed += 1;
    const wentOver = boxes.some((box) => overlap(track.box, box) > SAME_PLACE);
    track.visible = track.visible && track.found > 1 && !wentOver;
  }

  #take(frame: Frame, { box, confidence }: Detection, track: Track | undefined): void {
    const template = makeTemplate(frame, box);
    if (track) track.refresh(box, confidence, template);
    else this.tracks.push(new Track(this.#next++, box, confidence, template));
  }
}

/** The place in which a face is looked for among the boxes found. */
function reaching(box: FloatBox): FloatBox {
  return grown(box, REACH);
}
