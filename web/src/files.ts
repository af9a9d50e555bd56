/** Model files and their cards, read from the package or from elsewhere. */
import { checkFile } from "./card.js";
import { fetched } from "./engine.js";
import { FerkitError, textOf } from "./errors.js";
import type { Carded } from "./messages.js";
import type { FileCard } from "./types.js";

const ADVICE = "Check the address: the card lies beside the file, under the file's name and .json.";

/** Checks a card's JSON, whose path names it in errors, and which has to belong to a file. */
type Check<C> = (card: unknown, path: string, fileName: string) => C;

/**
 * Reads a model file and its card.
 *
 * A released one's card was checked when the package was built; one from elsewhere, and its file, are checked here.
 */
export async function readModel<C extends FileCard | null>(
  { url, card: known }: Carded<C>,
  check: Check<NonNullable<C>>,
): Promise<{ file: Uint8Array<ArrayBuffer>; card: C }> {
  const advice = typeof known === "string" ? ADVICE : undefined;
  const [card, file] = await Promise.all([
    typeof known === "string" ? readCard(known, url, check) : (known as C),
    fetched(url, advice).then(async (response) => new Uint8Array(await response.arrayBuffer())),
  ]);
  if (card && typeof known === "string") await checkFile(file, card, url);
  return { file, card };
}

async function readCard<C>(cardUrl: string, url: string, check: Check<C>): Promise<C> {
  const text = await (await fetched(cardUrl, ADVICE)).text();
  let card: unknown;
  try {
    card = JSON.parse(text);
  } catch (error) {
    throw new FerkitError(
      "card",
      `${cardUrl}: expected JSON, got ${textOf(error)}. Copy the card again.`,
      cardUrl,
    );
  }
  return check(card, cardUrl, new URL(url).pathname.split("/").pop()!);
}
