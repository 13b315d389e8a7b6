// The patient's page: ties the conversation, the control of the current question, the composer and the banner together.
import { draw } from "./controls.js";
import { Conversation } from "./conversation.js";
import { Draft } from "./draft.js";
import { Refused, alertStatus, read, send } from "./server.js";
import { grow } from "./summary.js";

const POLL = 4000; // milliseconds
const UNREACHED = "Not connected. Your words are still here and will be sent again. In danger: 911, or call or text 988.";
const dock = document.getElementById("dock");
const composer = document.getElementById("composer");
const field = document.getElementById("text");
const state = document.getElementById("state");
const banner = document.getElementById("banner");
const conversation = new Conversation(document.getElementById("log"), (before) => read({ before }).catch(() => []));
let draftId = crypto.randomUUID();
let shown = null; // the id of the control in the dock
let tapped = false; // whether the last answer was a button of the dock
let sending = false;
let reading = Promise.resolve();

function refresh() {
  reading = reading.then(async () => {
    const fresh = await conversation.add(await read({ after: conversation.newest }));
    const asked = fresh.filter((message) => message.from === "assistant" && message.control).at(-1)?.control;
    if (asked && asked.id !== shown) ask(asked);
  }).catch(() => { /* the next round tries again */ });
  return reading;
}

function ask(control) {
  shown = control.id;
  dock.inert = false;
  dock.dataset.control = control.id;
  draw(dock, control, answer);
  dock.scrollTop = 0;
  conversation.toEnd();
  if (tapped && dock.childElementCount) dock.focus({ preventScroll: true }); // the button that had the focus is gone
  tapped = false;
}

async function answer(given) {
  tapped = true;
  await deliver({ client_id: crypto.randomUUID(), ...given });
}

// Sends one message, shows it at once, and brings the replies. Returns whether it arrived.
async function deliver(message) {
  if (sending) return false;
  sending = true;
  dock.inert = true;
  state.textContent = "";
  conversation.send(message.client_id, message.text);
  conversation.wait(true);
  try {
    await send(message, () => { state.textContent = UNREACHED; });
    state.textContent = "";
    await refresh();
    return true;
  } catch (error) {
    conversation.unsend(message.client_id);
    state.textContent = error instanceof Refused ? error.message : UNREACHED;
    return false;
  } finally {
    conversation.wait(false);
    dock.inert = false;
    sending = false;
    banners();
  }
}

async function say() {
  const text = field.value;
  if (!text.trim()) { state.textContent = "There is nothing to send yet."; return; }
  if (sending) return;
  const message = { client_id: draftId, text, ...dock.card };
  field.value = "";
  grow(field);
  if (await deliver(message)) {
    draftId = crypto.randomUUID();
    draft.keep({ client_id: draftId, text: field.value });
  } else if (!field.value) {
    field.value = text;
    grow(field);
  }
}

async function banners() {
  try {
    const alert = await alertStatus();
    banner.hidden = !alert;
    const text = alert ? alert.text : "";
    if (banner.textContent !== text) banner.textContent = text;
  } catch { /* the next round tries again */ }
}

composer.addEventListener("submit", (event) => { event.preventDefault(); say(); });
field.addEventListener("input", () => { draft.keep({ client_id: draftId, text: field.value }); grow(field); });
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) composer.requestSubmit();
});
for (const item of document.querySelectorAll("[data-say]")) item.addEventListener("click", () => answer({ text: item.dataset.say }));

document.getElementById("needs-script").remove();
const draft = await Draft.open(document.querySelector("meta[name=draft-key]").content);
await refresh();
const kept = await draft.kept();
if (kept && !field.value) {
  draftId = kept.client_id;
  field.value = kept.text;
}
grow(field);
banners();
setInterval(() => { if (!sending && !document.hidden) { refresh(); banners(); } }, POLL);
document.addEventListener("visibilitychange", () => { if (!document.hidden && !sending) { refresh(); banners(); } });
