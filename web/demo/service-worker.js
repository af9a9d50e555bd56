/** Keeps the page's files, so that it works without a network after the first visit. */
const FILES = /* FILES */ []; // all that the page may ask for; filled in by scripts/build.js
const CACHE = `ferkit-${/* VERSION */ ""}`;
// The engine's builds and the models are kept when they are first used: a visitor loads one of each.
const ALWAYS = ["", ...FILES.filter((file) => !/^ferkit\/(litert|models)\//.test(file))];
const puts = new Set(); // files that are being kept

addEventListener("install", (event) => {
  // A new version keeps its files and waits until the page is closed: files of two versions don't fit together. The
  // first one begins at once, because the page waits for it, and keeps the files when the page says so.
  if (registration.active) event.waitUntil(keep("no-cache"));
  else skipWaiting();
});

addEventListener("activate", (event) => event.waitUntil(Promise.all([clients.claim(), forget()])));

addEventListener("message", (event) => {
  event.waitUntil(keep().then(() => event.ports[0].postMessage("kept")));
});

addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  event.respondWith(answer(event));
});

async function answer(event) {
  const { request } = event;
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request, { ignoreSearch: true });
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok && FILES.includes(placeOf(request))) {
    // It is kept while the page reads it: the engine is compiled as it comes in.
    const put = cache.put(request, response.clone()).finally(() => puts.delete(put));
    puts.add(put);
    event.waitUntil(put);
  }
  return response;
}

/**
 * Fetches what is always kept, and the engine and models that an older version had kept.
 *
 * The browser's own cache may hold files that the page has just loaded, and for a new version those of the old one.
 */
async function keep(mode = "default") {
  const cache = await caches.open(CACHE);
  const kept = (await cache.keys()).map(placeOf);
  const before = await Promise.all((await older()).map(async (name) => (await caches.open(name)).keys()));
  const wanted = [...ALWAYS, ...before.flat().map(placeOf)].filter(
    (file) => !kept.includes(file) && (file === "" || FILES.includes(file)),
  );
  await cache.addAll([...new Set(wanted)].map((file) => new Request(`./${file}`, { cache: mode })));
  await Promise.all(puts);
}

async function forget() {
  await Promise.all((await older()).map((name) => caches.delete(name)));
}

/** The caches of older versions. */
async function older() {
  return (await caches.keys()).filter((name) => name.startsWith("ferkit-") && name !== CACHE);
}

/** A file's place in the page's folder. */
function placeOf({ url }) {
  return new URL(url).pathname.slice(new URL(registration.scope).pathname.length);
}
