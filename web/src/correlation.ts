/** Where an image lies in a larger one: `cv2.matchTemplate` with TM_CCOEFF_NORMED, in plain loops. */
import type { Gray } from "./pixels.js";

/** Correlations -1 to 1 at every place of a template, row by row. */
export interface Correlations {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
}

export function correlate(image: Gray, template: Gray): Correlations {
  const width = image.width - template.width + 1;
  const height = image.height - template.height + 1;
  const data = new Float32Array(width * height);
  const count = template.width * template.height;
  const centred = withoutMean(template);
  const norm = Math.sqrt(centred.reduce((sum, value) => sum + value * value, 0));
  if (norm < Number.EPSILON) return { data: data.fill(1), width, height };
  const sums = integral(image, (value) => value);
  const squares = integral(image, (value) => value * value);
  const stride = image.width + 1;
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to++) {
      const corners = [y * stride + x, y * stride + x + template.width];
      corners.push(corners[0] + template.height * stride, corners[1] + template.height * stride);
      const sum = sums[corners[3]] - sums[corners[2]] - sums[corners[1]] + sums[corners[0]];
      const square = squares[corners[3]] - squares[corners[2]] - squares[corners[1]] + squares[corners[0]];
      const spread = Math.sqrt(Math.max(square - (sum * sum) / count, 0)) * norm;
      data[to] = ratio(product(image, template, centred, x, y), spread);
    }
  }
  return { data, width, height };
}

/** As OpenCV divides: of no spread nothing is correlated. */
function ratio(product: number, spread: number): number {
  if (Math.abs(product) < spread) return product / spread;
  return Math.abs(product) < spread * 1.125 ? Math.sign(product) : 0;
}

function product(image: Gray, template: Gray, centred: Float32Array, left: number, top: number): number {
  let sum = 0;
  for (let y = 0, from = 0; y < template.height; y++) {
    let place = (top + y) * image.width + left;
    for (let x = 0; x < template.width; x++, from++, place++) sum += centred[from] * image.data[place];
  }
  return sum;
}

function withoutMean({ data }: Gray): Float32Array {
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  return Float32Array.from(data, (value) => value - mean);
}

/** Sums over all pixels above and to the left of each corner: (height + 1) * (width + 1). */
function integral({ data, width, height }: Gray, of: (value: number) => number): Float64Array {
  const sums = new Float64Array((width + 1) * (height + 1));
  for (let y = 0; y < height; y++) {
    let row = 0;
    for (let x = 0; x < width; x++) {
      row += of(data[y * width + x]);
      sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + row;
    }
  }
  return sums;
}
