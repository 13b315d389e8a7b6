// Keeps the crisis card, and nothing else, for when no server answers.
const CACHE = "help-1";
const CARD = ["/help", "/static/site.css", "/static/exit.js"];
self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(CARD)).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (CARD.includes(url.pathname)) {
    event.respondWith(
      fetch(event.request)
        .then((response) => {
          if (response.ok) caches.open(CACHE).then((cache) => cache.put(url.pathname, response.clone()));
          return response.ok ? response.clone() : caches.match(url.pathname);
        })
        .catch(() => caches.match(url.pathname)),
    );
  } else if (event.request.mode === "navigate") {
    event.respondWith(fetch(event.request).catch(() => caches.match("/help")));
  }
});
