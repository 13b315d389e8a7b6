// The patient's page: draws the conversation and the control of the current question, and never loses a word.
"use strict";
const log = document.getElementById("log");
const dock = document.getElementById("dock");
const composer = document.getElementById("composer");
const field = document.getElementById("text");
const state = document.getElementById("state");
const banner = document.getElementById("banner");
const token = document.querySelector("meta[name=csrf-token]").content;
const DRAFT = "unsent";
let newest = 0;
let oldest = Infinity;
let control = null;
let sending = false;

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function bubble(message) {
  const made = element("p", { className: `bubble ${message.from} ${message.kind}`, textContent: message.text || "…" });
  if (message.small_print) made.append(element("span", { className: "print", textContent: message.small_print }));
  made.dataset.id = message.id;
  return made;
}

function show(messages, { older = false } = {}) {
  const known = new Set([...log.children].map((child) => child.dataset.id));
  const fresh = messages.filter((message) => !known.has(message.id));
  if (older) log.prepend(...fresh.map(bubble));
  else log.append(...fresh.map(bubble));
  for (const message of messages) {
    oldest = Math.min(oldest, message.seq);
    if (message.seq > newest) newest = message.seq;
  }
  if (!older && fresh.length) {
    for (const message of fresh) if (message.from === "assistant" && message.control) control = message.control;
    draw();
    log.scrollTop = log.scrollHeight;
  }
}

function button(label, act, properties = {}) {
  const made = element("button", { type: "button", className: "button", textContent: label, ...properties });
  made.addEventListener("click", () => act(made));
  return made;
}

function draw() {
  dock.replaceChildren();
  if (!control) return;
  const id = control.id;
  const pick = (value, label) => () => send({ control_id: id, value, text: label });
  const row = element("div", { className: "row" });
  const kinds = {
    none: () => row.append(button("Continue", pick("continue", "Continue"), { className: "button primary" })),
    scale: () => {
      row.classList.add("scale");
      row.append(element("span", { className: "small", textContent: control.minimum_label }));
      for (let n = control.minimum; n <= control.maximum; n += 1) row.append(button(String(n), pick(n, String(n))));
      row.append(element("span", { className: "small", textContent: control.maximum_label }));
    },
    choice: () => control.options.forEach((option) => row.append(button(option.label, pick(option.value, option.label)))),
    part: () => control.options.forEach((option) => row.append(button(option.label, pick(option.value, option.label)))),
    multi: () => several(id, row),
    body: () => places(id, row),
    summary: () => summary(id, row),
    text: () => {},
    short_text: () => {},
  };
  kinds[control.type]();
  if (control.lot) row.append(button("This is a lot", pick("lot", "This is a lot"), { className: "button quiet" }));
  if (control.skippable) row.append(button("Skip", pick("skip", "Skip"), { className: "button quiet" }));
  dock.append(row);
}

function several(id, row) {
  const chosen = new Map();
  for (const option of control.options) {
    const made = button(option.label, () => {
      if (!chosen.delete(option.value)) chosen.set(option.value, option.label);
      made.setAttribute("aria-pressed", String(chosen.has(option.value)));
    });
    made.setAttribute("aria-pressed", "false");
    row.append(made);
  }
  const done = () => send({ control_id: id, value: [...chosen.keys()], text: [...chosen.values()].join(", ") });
  row.append(button("Done", done, { className: "button primary" }));
}

function places(id, row) {
  const place = element("select", { id: "place" });
  place.append(element("option", { value: "", textContent: "Choose a place" }));
  for (const option of control.options) place.append(element("option", { value: option.value, textContent: option.label }));
  const word = element("input", { id: "word", maxLength: 60 });
  const done = () => {
    if (!place.value) return place.focus();
    const answer = [{ place: place.value, word: word.value }];
    send({ control_id: id, value: answer, text: word.value ? `${place.value}: ${word.value}` : place.value });
  };
  row.append(element("label", { htmlFor: "place", textContent: "Place" }), place);
  if (control.with_word) row.append(element("label", { htmlFor: "word", textContent: "A word, if there is one" }), word);
  row.append(button("Done", done, { className: "button primary" }));
}

function summary(id, row) {
  const edits = {};
  for (const line of control.lines) {
    const text = element("textarea", { value: line.text, rows: 1, className: "own", id: `line-${line.id}` });
    const out = element("input", { type: "checkbox", id: `out-${line.id}` });
    text.addEventListener("input", () => { edits[line.id] = text.value; });
    out.addEventListener("change", () => {
      text.disabled = out.checked;
      if (out.checked) edits[line.id] = null;
      else edits[line.id] = text.value;
    });
    const toggle = element("label", { className: "tick small" });
    toggle.append(out, "Leave this out");
    dock.append(element("div", { className: "line" }, element("label", { htmlFor: text.id, textContent: line.label }), text, toggle));
  }
  row.className = "summary-actions";
  for (const option of control.options) {
    row.append(button(option.label, () => send({ control_id: id, value: option.value, text: option.label, lines: edits })));
  }
}

async function send(answer) {
  if (sending) return;
  sending = true;
  const message = { client_id: crypto.randomUUID(), ...answer };
  state.textContent = "Sending.";
  for (let attempt = 0; ; attempt += 1) {
    try {
      const response = await fetch("/api/v1/messages", {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": token },
        body: JSON.stringify(message),
      });
      const body = await response.json();
      if (!response.ok) {
        state.textContent = body.error ? body.error.message : "That did not go through. It is still here.";
        if (response.status === 401) location.assign("/login?next=/journal");
        break;
      }
      state.textContent = "";
      if (!answer.control_id) {
        field.value = "";
        sessionStorage.removeItem(DRAFT);
        grow();
      }
      show([body.message, ...body.replies].sort((a, b) => a.seq - b.seq));
      alertStatus();
      break;
    } catch {
      state.textContent = "Not connected. Your words are still here, and will be sent again. In danger: 911, or call or text 988.";
      await new Promise((resolve) => setTimeout(resolve, Math.min(15000, 1000 * 2 ** attempt)));
    }
  }
  sending = false;
}

function grow() {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

async function poll() {
  try {
    const response = await fetch(`/api/v1/messages?after=${newest}`);
    if (response.ok) show((await response.json()).messages);
  } catch { /* the next round tries again */ }
}

async function alertStatus() {
  try {
    const { alert } = await (await fetch("/api/v1/alert-status")).json();
    banner.hidden = !alert;
    if (!alert) return;
    if (banner.textContent !== alert.text) banner.textContent = alert.text; // the server knows the truth and its times
  } catch { /* the next round tries again */ }
}

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = field.value;
  if (!text.trim()) { state.textContent = "There is nothing to send yet."; return; }
  send({ text });
});
field.addEventListener("input", () => { sessionStorage.setItem(DRAFT, field.value); grow(); });
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) composer.requestSubmit();
});
for (const item of document.querySelectorAll("[data-say]")) item.addEventListener("click", () => send({ text: item.dataset.say }));
log.addEventListener("scroll", async () => {
  if (log.scrollTop > 40 || oldest <= 1) return;
  const height = log.scrollHeight;
  const before = oldest;
  const { messages } = await (await fetch(`/api/v1/messages?before=${before}`)).json();
  if (!messages.length) { oldest = 0; return; }
  show(messages, { older: true });
  log.scrollTop = log.scrollHeight - height;
});

field.value = sessionStorage.getItem(DRAFT) || "";
grow();
poll().then(alertStatus);
setInterval(() => { if (!sending) { poll(); alertStatus(); } }, 4000);
