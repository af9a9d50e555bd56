/** What a page and ferkit's worker hold, once their garbage has been collected. */

/**
 * Sizes in bytes. Of a page without a worker only the first two are there.
 *
 * @typedef {{ workers: number, page: number, worker?: number, wasm?: number, bitmaps?: number }} Held
 */

/** Runs in the worker before its own script: keeps the WebAssembly's memory and counts bitmaps. */
const WATCH = `
  globalThis.watched = { memories: [], bitmaps: 0 };
  const { instantiate } = WebAssembly;
  WebAssembly.instantiate = async (...parts) => {
    const made = await instantiate.apply(WebAssembly, parts);
    const { exports } = made.instance ?? made;
    watched.memories.push(...Object.values(exports).filter((value) => value instanceof WebAssembly.Memory));
    return made;
  };
  addEventListener("message", ({ data }) => (watched.bitmaps += data.pixels instanceof ImageBitmap));
  const { close } = ImageBitmap.prototype;
  ImageBitmap.prototype.close = function () {
    watched.bitmaps--;
    return close.call(this);
  };
`;
const COLLECTIONS = 3; // what one finds dead the next one frees

/**
 * Watches a page's memory: call it before the page makes a recognizer.
 *
 * @param page of Playwright, in Chromium
 * @returns {Promise<() => Promise<Held>>} collects garbage and tells the sizes; of the workers only one may be left
 */
export async function watchMemory(page) {
  const cdp = await page.context().newCDPSession(page);
  const workers = new Map();
  cdp.on("Target.attachedToTarget", async ({ sessionId, targetInfo }) => {
    if (targetInfo.type !== "worker") return;
    const worker = sessionOf(cdp, sessionId);
    workers.set(sessionId, worker);
    await worker("Runtime.evaluate", { expression: WATCH });
    await worker("Runtime.runIfWaitingForDebugger");
  });
  cdp.on("Target.detachedFromTarget", ({ sessionId }) => workers.delete(sessionId));
  await cdp.send("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: true, flatten: false });
  return async () => {
    const held = { workers: workers.size, page: await heapOf((method) => cdp.send(method)) };
    for (const worker of workers.values()) Object.assign(held, await heldBy(worker));
    return held;
  };
}

async function heldBy(worker) {
  const heap = await heapOf(worker);
  const expression = `({ bitmaps: watched.bitmaps,
    wasm: watched.memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0) })`;
  const { result } = await worker("Runtime.evaluate", { expression, returnByValue: true });
  return { worker: heap, ...result.value };
}

/** Bytes of scripts' objects, of what the browser holds for them, and of array buffers. */
async function heapOf(send) {
  for (let time = 0; time < COLLECTIONS; time++) await send("HeapProfiler.collectGarbage");
  const heap = await send("Runtime.getHeapUsage");
  return heap.usedSize + heap.embedderHeapUsedSize + heap.backingStorageSize;
}

/** Sends a worker commands and resolves to its answers. */
function sessionOf(cdp, sessionId) {
  let number = 0;
  const waiting = new Map();
  cdp.on("Target.receivedMessageFromTarget", (event) => {
    if (event.sessionId !== sessionId) return;
    const { id, result, error } = JSON.parse(event.message);
    const settle = waiting.get(id);
    waiting.delete(id);
    if (error) settle?.reject(new Error(error.message));
    else settle?.resolve(result);
  });
  return (method, params = {}) =>
    new Promise((resolve, reject) => {
      waiting.set(++number, { resolve, reject });
      const message = JSON.stringify({ id: number, method, params });
      cdp.send("Target.sendMessageToTarget", { sessionId, message }).catch(reject);
    });
}
