// Quick exit: forget what this page holds, then be somewhere else, with no way back to it.
for (const button of document.querySelectorAll("[data-quick-exit]")) {
  button.addEventListener("click", () => {
    sessionStorage.clear();
    document.body.replaceChildren();
    location.replace("https://www.weather.gov/");
  });
}
if ("serviceWorker" in navigator) navigator.serviceWorker.register("/sw.js").catch(() => {});
