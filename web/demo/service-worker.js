/** Keeps the page's files, so that it works without a network after the first visit. */
const FILES = /* FILES */ []; // all that the page may ask for; filled in by scripts/build.js
const CACHE = `ferkit-${/* VERSION */ ""}`;
// The engine's builds and the models are kept when they are first used: a visitor loads one of each.
const EARLY = ["", ...FILES.filter((file) => !/^ferkit\/(litert|models)\//.test(file))];

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(EARLY.map((file) => `./${file}`))));
});

addEventListener("activate", (event) => {
  const old = async () =>
    (await caches.keys()).filter((name) => name.startsWith("ferkit-") && name !== CACHE);
  event.waitUntil(
    old()
      .then((names) => Promise.all(names.map((name) => caches.delete(name))))
      .then(() => clients.claim()),
  );
});

addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  event.respondWith(answer(event.request));
});

async function answer(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request, { ignoreSearch: true });
  if (kept) return kept;
  const response = await fetch(request);
  const path = new URL(request.url).pathname.slice(new URL(registration.scope).pathname.length);
  if (response.ok && FILES.includes(path)) await cache.put(request, response.clone());
  return response;
}
