// The board stays current by itself and shows how many alerts are open in the title.
const board = document.getElementById("board");
async function refresh() {
  if (board.contains(document.activeElement)) return;
  try {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!response.ok || response.redirected) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    document.title = page.title;
    board.replaceChildren(...page.getElementById("board").childNodes);
  } catch {
    document.title = "(not connected) Alerts";
  }
}
setInterval(refresh, Number(board.dataset.refresh) * 1000);
