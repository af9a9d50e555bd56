/** What went wrong, for code to decide by; the message is for people. */
export type ErrorCode =
  | "option" // an option is not what its documentation says
  | "source" // the source has no pixels that can be read
  | "closed" // the recognizer was closed
  | "no-webassembly" // no WebAssembly with SIMD, or the page's policy forbids it
  | "no-worker" // no module workers, or the page's policy forbids them
  | "file" // a file is missing or can't be fetched
  | "card" // a card is not what version 1 says, or belongs to another file
  | "model" // the file is no model of this kind
  | "engine" // the engine failed
  | "insecure-origin" // cameras need https or localhost
  | "no-camera" // there is no camera
  | "camera-busy" // another program has the camera
  | "permission-denied"; // the user, or the page's policy, doesn't allow the camera

/** An error's text in one line, without its full stop; C++ throws numbers. */
export function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .replace(/\s+/g, " ")
    .slice(0, 300)
    .replace(/[. ]+$/, "");
}

/** Everything that ferkit throws: what was expected, what was got, what to do. */
export class FerkitError extends Error {
  override readonly name = "FerkitError";
  /** Decides what a program does about it. */
  readonly code: ErrorCode;
  /** The file or option by name, where there is one. */
  readonly subject: string | undefined;

  constructor(code: ErrorCode, message: string, subject?: string) {
    super(message);
    this.code = code;
    this.subject = subject;
  }
}
