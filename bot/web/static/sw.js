// Keeps the crisis card, and nothing else, for when no server answers.
const CACHE = "help-1";
const CARD = ["/help", "/static/site.css", "/static/exit.js"];
const kept = (path) => caches.match(path, { ignoreVary: true });

// The card from the server, so that its numbers stay current; from the device when the server does not answer well.
async function card(request, path) {
  try {
    const response = await fetch(request);
    if (response.ok) {
      const cache = await caches.open(CACHE);
      await cache.put(path, response.clone());
      return response;
    }
  } catch { /* no server: what was kept */ }
  return kept(path);
}

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(CARD)).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (CARD.includes(url.pathname)) event.respondWith(card(event.request, url.pathname));
  else if (event.request.mode === "navigate") event.respondWith(fetch(event.request).catch(() => kept("/help")));
});
