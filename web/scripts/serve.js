/** Serves a folder: `node scripts/serve.js FOLDER [--port N] [--isolated]`; --isolated allows threads. */
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = {
  ".css": "text/css",
  ".gz": "application/gzip",
  ".html": "text/html; charset=utf-8",
  ".jpg": "image/jpeg",
  ".js": "text/javascript",
  ".json": "application/json",
  ".mp4": "video/mp4",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".webm": "video/webm",
  ".webmanifest": "application/manifest+json",
};
/** What makes a page cross-origin isolated, so that it may have threads. */
export const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** Starts a server on this machine; resolves to its address, what was asked of it, and `close`. */
export async function serve(folder, { port = 0, headers = {} } = {}) {
  const requests = [];
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
    const file = join(folder, path.endsWith("/") ? `${path}index.html` : path);
    let size;
    try {
      size = statSync(file).isFile() ? statSync(file).size : -1;
    } catch {
      size = -1;
    }
    requests.push({ path, bytes: Math.max(0, size) });
    if (size < 0) return response.writeHead(404, headers).end("Not found");
    const type = TYPES[extname(file)] ?? "application/octet-stream";
    response.writeHead(200, {
      "Content-Type": type,
      "Content-Length": size,
      "Cache-Control": "no-cache",
      ...headers,
    });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  const close = () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve)));
  return { url: `http://localhost:${server.address().port}/`, requests, close };
}

if (process.argv[1]?.endsWith("scripts/serve.js")) {
  const [folder] = process.argv.slice(2);
  const place = process.argv.indexOf("--port");
  const headers = process.argv.includes("--isolated") ? ISOLATION : {};
  const { url } = await serve(folder, { port: place > 0 ? Number(process.argv[place + 1]) : 8000, headers });
  console.log(`${url}  (Ctrl-C ends it)`);
}
