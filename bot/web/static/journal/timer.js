// Time for a practice: a soft ring that fills, or a circle that breathes; never a countdown, ended at any moment.
import { element, shape, stillness } from "./elements.js";

const ROUND = 2 * Math.PI * 26; // length of the ring in the units of its drawing
const STEP = 250; // milliseconds
const IN = 4000; // a breath in and a longer one out, milliseconds
const OUT = 6000;

export function timedControl(control, go) {
  const breath = control.pace === "breath";
  const words = element("p", { className: "hint", textContent: breath ? "In, and slowly out. Follow it or not." : "Take the time you need. The ring is only a guide." });
  const drawing = breath ? circle() : ring();
  const started = performance.now();
  const turn = setInterval(() => {
    if (!go.isConnected) { clearInterval(turn); return; }
    const passed = performance.now() - started;
    if (breath) breathe(drawing, words, passed);
    else fill(drawing, passed / (control.seconds * 1000));
    if (passed >= control.seconds * 1000) {
      clearInterval(turn);
      words.textContent = "That was about the time for it. Go on when you like.";
    }
  }, STEP);
  return [element("div", { className: "timed" }, drawing, element("div", {}, words, go))];
}

function ring() {
  const track = shape("circle", { cx: 30, cy: 30, r: 26, class: "track" });
  const passed = shape("circle", { cx: 30, cy: 30, r: 26, class: "passed", "stroke-dasharray": ROUND, "stroke-dashoffset": ROUND });
  return shape("svg", { viewBox: "0 0 60 60", class: "ring", "aria-hidden": "true" }, track, passed);
}

function fill(drawing, part) {
  drawing.lastElementChild.setAttribute("stroke-dashoffset", ROUND * (1 - Math.min(1, part)));
}

function circle() {
  return shape("svg", { viewBox: "0 0 60 60", class: "breath", "aria-hidden": "true" }, shape("circle", { cx: 30, cy: 30, r: 28, class: "track" }), shape("circle", { cx: 30, cy: 30, r: 14, class: "air" }));
}

function breathe(drawing, words, passed) {
  const within = passed % (IN + OUT);
  const inward = within < IN;
  const part = inward ? within / IN : 1 - (within - IN) / OUT;
  words.textContent = inward ? "In, the way it wants to." : "Slowly out, a little longer.";
  if (!stillness.matches) drawing.lastElementChild.setAttribute("r", 12 + 15 * (0.5 - Math.cos(Math.PI * part) / 2));
}
