// The board and an alert's page stay current by themselves; emergencies sound until someone has them.
"use strict";
const board = document.getElementById("board");
const standing = document.getElementById("status");
const news = document.getElementById("news");
const link = document.getElementById("link-state");
const sound = document.getElementById("sound");
const plainTitle = document.title.replace(/^\(.*?\) /, "");
const shown = new Map();
let known = null;
let audio = null;

function ages() {
  for (const time of document.querySelectorAll("time[data-since]")) {
    const minutes = Math.floor((Date.now() - new Date(time.dataset.since)) / 60000);
    const words = minutes < 120 ? `${Math.max(0, minutes)} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
    if (time.textContent !== words) time.textContent = words;
  }
}

function put(place, html) {
  const same = html.replace(/name="csrf_token" value="[^"]*"/g, "").replace(/>\d+ min</g, "");
  if (same === shown.get(place)) return;
  shown.set(place, same);
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  const key = place.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  place.replaceChildren(...fresh.childNodes);
  if (key) (place.querySelector(`[data-key="${key}"]`) || place.querySelector("[data-key]"))?.focus();
}

async function read(url) {
  const response = await fetch(url, { headers: { Accept: "text/html" } });
  if (!response.ok || response.redirected) throw new Error("signed out");
  return response.text();
}

async function refreshBoard() {
  try {
    put(board, await read("/staff/?rows=1"));
    tell();
    if (link.dataset.broken) { delete link.dataset.broken; link.textContent = "Connected again. Kept current by itself."; }
  } catch {
    link.dataset.broken = "yes";
    link.textContent = "Not connected: what you see may be old. Reload, or sign in again.";
    document.title = `(not connected) ${plainTitle}`;
  }
  ages();
}

function tell() {
  const rows = [...board.querySelectorAll("[data-alert]")];
  const waiting = rows.filter((row) => row.dataset.status === "open" && row.dataset.level !== "concern");
  const emergencies = waiting.filter((row) => row.dataset.level === "emergency");
  document.title = emergencies.length ? `(${emergencies.length} EMERGENCY) ${plainTitle}` : rows.length ? `(${rows.length}) ${plainTitle}` : plainTitle;
  const now = new Set(rows.map((row) => `${row.dataset.reference} ${row.dataset.level}`));
  if (known) {
    const fresh = [...now].filter((name) => !known.has(name));
    if (fresh.length) news.textContent = `New: ${fresh.join(", ")}`;
  }
  known = now;
  if (emergencies.length) beep();
}

function beep() {
  if (!audio || audio.state !== "running") return;
  for (const [at, pitch] of [[0, 880], [0.25, 660], [0.5, 880]]) {
    const tone = audio.createOscillator();
    const loud = audio.createGain();
    tone.frequency.value = pitch;
    loud.gain.setValueAtTime(0.2, audio.currentTime + at);
    loud.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + at + 0.2);
    tone.connect(loud).connect(audio.destination);
    tone.start(audio.currentTime + at);
    tone.stop(audio.currentTime + at + 0.2);
  }
}

function toggleSound() {
  const on = sound.getAttribute("aria-pressed") !== "true";
  if (on) { audio ||= new AudioContext(); audio.resume(); } else audio?.suspend();
  sound.setAttribute("aria-pressed", String(on));
  sound.textContent = `Sound for emergencies: ${on ? "on" : "off"}`;
}

function step(by) {
  const rows = [...board.querySelectorAll("[data-alert]")];
  if (!rows.length) return;
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const row = rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + by))];
  row.querySelector("h2 a").focus();
}

function keys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const row = document.activeElement.closest?.("[data-alert]");
  if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
  else if (event.key === "a" && row) row.querySelector("form")?.requestSubmit();
  else if (event.key === "s") toggleSound();
}

if (board) {
  if ("AudioContext" in window) { sound.hidden = false; sound.addEventListener("click", toggleSound); }
  document.addEventListener("keydown", keys);
  tell();
  setInterval(refreshBoard, Number(board.dataset.refresh) * 1000);
}
if (standing) setInterval(async () => { try { put(standing, await read(standing.dataset.statusUrl)); } catch { /* the next round tries again */ } }, 4000);
ages();
setInterval(ages, 5000);
