/** Pixels as OpenCV computes them: gray, and sizes changed by area or bilinearly. */

/** Colour pixels of a frame, as a canvas gives them. */
export interface Frame {
  /** Red, green, blue and an alpha that is not looked at: 4 * width * height bytes, row by row. */
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** Gray pixels 0-255, row by row. */
export interface Gray {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Rounds to the nearest whole number, halves to the even one. */
export function rint(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** A rectangle of a frame as gray: BT.601 luma, rounded as OpenCV does. Outside, the frame's edge is repeated. */
export function cutGray(frame: Frame, left: number, top: number, width: number, height: number): Gray {
  const { data } = frame;
  const gray = new Uint8Array(width * height);
  const columns = new Int32Array(width); // where each column's pixel begins in its row
  for (let x = 0; x < width; x++) columns[x] = 4 * clamp(left + x, frame.width);
  for (let y = 0, to = 0; y < height; y++) {
    const row = 4 * frame.width * clamp(top + y, frame.height);
    for (let x = 0; x < width; x++, to++) {
      const from = row + columns[x];
      gray[to] = (9798 * data[from] + 19235 * data[from + 1] + 3735 * data[from + 2] + 16384) >> 15;
    }
  }
  return { data: gray, width, height };
}

/** Half the width and height: each pixel is the mean of four. An odd last row or column is left out. */
export function halve(image: Gray): Gray {
  const width = image.width >> 1;
  const height = image.height >> 1;
  const data = new Uint8Array(width * height);
  for (let y = 0, to = 0; y < height; y++) {
    let upper = 2 * y * image.width;
    let lower = upper + image.width;
    for (let x = 0; x < width; x++, to++, upper += 2, lower += 2) {
      const sum = image.data[upper] + image.data[upper + 1] + image.data[lower] + image.data[lower + 1];
      data[to] = (sum + 2) >> 2;
    }
  }
  return { data, width, height };
}

/** As `cv2.resize` with INTER_LINEAR: four neighbours with weights of 11 bits, half-pixel centres. */
export function resizeLinear(image: Gray, width: number, height: number): Gray {
  if (image.width === width && image.height === height) return image;
  const across = linearPlaces(image.width, width);
  const down = linearPlaces(image.height, height);
  const rows = new Int32Array(image.height * width);
  for (let y = 0, to = 0; y < image.height; y++) {
    const row = y * image.width;
    for (let x = 0; x < width; x++, to++) {
      rows[to] =
        image.data[row + across.first[x]] * across.weight[x] +
        image.data[row + across.second[x]] * across.other[x];
    }
  }
  const data = new Uint8Array(width * height);
  for (let y = 0, to = 0; y < height; y++) {
    const upper = down.first[y] * width;
    const lower = down.second[y] * width;
    const weight = down.weight[y];
    const other = down.other[y];
    for (let x = 0; x < width; x++, to++) {
      const above = (weight * (rows[upper + x] >> 4)) >> 16;
      const below = (other * (rows[lower + x] >> 4)) >> 16;
      data[to] = (above + below + 2) >> 2;
    }
  }
  return { data, width, height };
}

/** A smaller image, as `cv2.resize` with INTER_AREA gives it, the order of its float32 additions included. */
export function shrink(image: Gray, width: number, height: number): Gray {
  // As OpenCV computes them: for some multiples not a whole number.
  const across = 1 / (width / image.width);
  const down = 1 / (height / image.height);
  const data =
    isWhole(across) && isWhole(down)
      ? shrinkByWhole(image, width, height, rint(across), rint(down))
      : shrinkByShares(image, areaShares(image.width, width, across), areaShares(image.height, height, down));
  return { data, width, height };
}

function isWhole(scale: number): boolean {
  return Math.abs(scale - rint(scale)) < Number.EPSILON;
}

/** The mean of blocks of `across * down` pixels; for 2x2 OpenCV rounds a half up, else to even. */
function shrinkByWhole(image: Gray, width: number, height: number, across: number, down: number): Uint8Array {
  const share = Math.fround(1 / (across * down));
  const isHalf = across === 2 && down === 2;
  const data = new Uint8Array(width * height);
  const sums = new Int32Array(width);
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    for (let inner = 0, from = y * down * image.width; inner < down; inner++) {
      for (let x = 0; x < width; x++)
        for (let step = 0; step < across; step++, from++) sums[x] += image.data[from];
    }
    for (let x = 0; x < width; x++) {
      data[y * width + x] = isHalf ? (sums[x] + 2) >> 2 : nearest(Math.fround(sums[x] * share));
    }
  }
  return data;
}

/** The mean of areas that cut pixels: each pixel counts by the share of it that lies inside. */
function shrinkByShares(image: Gray, across: Shares, down: Shares): Uint8Array {
  const data = new Uint8Array(across.count * down.count);
  const means = new Float32Array(across.count);
  const sums = new Float32Array(across.count);
  for (let index = 0; index < down.from.length; index++) {
    const row = down.from[index] * image.width;
    means.fill(0);
    for (let place = 0; place < across.from.length; place++) {
      means[across.to[place]] += Math.fround(image.data[row + across.from[place]] * across.weight[place]);
    }
    const y = down.to[index];
    const isFirst = index === 0 || down.to[index - 1] !== y;
    for (let x = 0; x < sums.length; x++) {
      const part = Math.fround(down.weight[index] * means[x]);
      sums[x] = isFirst ? part : sums[x] + part;
    }
    const isLast = index === down.from.length - 1 || down.to[index + 1] !== y;
    if (isLast) for (let x = 0; x < sums.length; x++) data[y * sums.length + x] = nearest(sums[x]);
  }
  return data;
}

interface Shares {
  /** The pixels of the smaller row or column. */
  readonly count: number;
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly weight: Float32Array;
}

/** What each pixel of a row or column adds to which pixel of the smaller one, in the order of both. */
function areaShares(size: number, count: number, scale: number): Shares {
  const from: number[] = [];
  const to: number[] = [];
  const weight: number[] = [];
  const add = (source: number, target: number, share: number) => {
    from.push(source);
    to.push(target);
    weight.push(Math.fround(share));
  };
  for (let target = 0; target < count; target++) {
    const start = target * scale;
    const end = start + scale;
    const width = Math.min(scale, size - start);
    const last = Math.min(Math.floor(end), size - 1);
    const first = Math.min(Math.ceil(start), last);
    if (first - start > 1e-3) add(first - 1, target, (first - start) / width);
    for (let source = first; source < last; source++) add(source, target, 1 / width);
    if (end - last > 1e-3) add(last, target, Math.min(Math.min(end - last, 1), width) / width);
  }
  return {
    count,
    from: Int32Array.from(from),
    to: Int32Array.from(to),
    weight: Float32Array.from(weight),
  };
}

/** For each pixel of a resized row or column the two neighbours it is blended of, and their weights. */
function linearPlaces(size: number, side: number) {
  const scale = 1 / (side / size);
  const first = new Int32Array(side);
  const second = new Int32Array(side);
  const weight = new Int32Array(side);
  const other = new Int32Array(side);
  for (let target = 0; target < side; target++) {
    const place = Math.fround((target + 0.5) * scale - 0.5);
    const floor = Math.floor(place);
    const rest = Math.fround(place - floor);
    first[target] = clamp(floor, size);
    second[target] = clamp(floor + 1, size);
    weight[target] = rint(Math.fround(Math.fround(1 - rest) * 2048));
    other[target] = rint(Math.fround(rest * 2048));
  }
  return { first, second, weight, other };
}

function clamp(place: number, size: number): number {
  return Math.min(Math.max(place, 0), size - 1);
}

function nearest(gray: number): number {
  return Math.min(Math.max(rint(gray), 0), 255);
}
