/** Each label's colour: those that `ferkit run` draws with. */

/** @type {Record<string, string>} */
const COLOURS = {
  angry: "rgb(240 72 72)",
  disgust: "rgb(64 176 96)",
  fear: "rgb(150 92 226)",
  happy: "rgb(250 200 48)",
  sad: "rgb(70 146 240)",
  surprise: "rgb(250 128 44)",
  neutral: "rgb(176 186 196)",
  uncertain: "rgb(150 150 150)",
};
/** For the labels of other models, in their order; after the last one further hues, a golden angle apart. */
const OTHERS = [
  "rgb(60 190 190)",
  "rgb(250 130 180)",
  "rgb(175 225 60)",
  "rgb(150 95 60)",
  "rgb(50 60 140)",
  "rgb(20 100 130)",
  "rgb(205 30 150)",
  "rgb(130 130 50)",
];

/**
 * @param {string} label
 * @param {readonly string[]} labels
 */
export function colourOf(label, labels) {
  if (COLOURS[label]) return COLOURS[label];
  const number = Math.max(0, labels.filter((other) => !COLOURS[other]).indexOf(label));
  const hue = (137.508 * number) % 360;
  return OTHERS[number] ?? `hsl(${hue.toFixed(0)} ${["67% 27%", "100% 60%", "67% 42%"][number % 3]})`;
}
