declare module "*.tflite.json" {
  const card: import("./types.js").Card;
  export default card;
}
