// A place in the body: a simple figure, front and back, to tap, and the same places as a list beside it.
import { button, element, shape } from "./elements.js";

// Each region is a place of the list and its shapes; the right half mirrors the left about x = 60.
const FRONT = [
  ["top of head", ["M43 14a17 13 0 0 1 34 0z"]],
  ["forehead", ["M43 14h34l1 9H42z"]],
  ["eyes", ["M42 23h36v9H42z"]],
  ["mouth", ["M42 32h36l-2 9H44z"]],
  ["jaw", ["M44 41h32q-6 11-16 11t-16-11z"]],
  ["throat", ["M53 52h14v11H53z"]],
  ["shoulders", ["M53 63h14l24 8 3 12H26l3-12z"]],
  ["arms", ["M26 83h13l-4 25-6 27H17l4-27z", "M94 83H81l4 25 6 27h12l-4-27z"]],
  ["hands", ["M17 135h12l1 15-8 6-8-7z", "M103 135H91l-1 15 8 6 8-7z"]],
  ["chest", ["M39 83h42v18H39z"]],
  ["heart area", ["M63 86a8 8 0 1 1-.1 12 9 9 0 0 1 .1-12z"]],
  ["ribs", ["M39 101h42l-1 14H40z"]],
  ["solar plexus", ["M60 101a7 6.500 0 1 1-.1 13 7 6.500 0 0 1 .1-13z"]],
  ["belly", ["M40 115h40v19H40z"]],
  ["hips", ["M40 134h40l4 18H36z"]],
  ["legs", ["M36 152h23l-3 30H40z", "M84 152H61l3 30h16z", "M40 196h16l-2 30H43z", "M80 196H64l2 30h11z"]],
  ["knees", ["M40 182h16v14H40z", "M64 182h16v14H64z"]],
  ["feet", ["M43 226h11l1 9H36z", "M77 226H66l-1 9h19z"]],
];
const BACK = [
  ["top of head", ["M43 14a17 13 0 0 1 34 0l1 12H42z"]],
  ["neck", ["M42 26h36q-2 22-11 24v13H53V50q-9-2-11-24z"]],
  ["shoulders", ["M53 63h14l24 8 3 12H26l3-12z"]],
  ["arms", ["M26 83h13l-4 25-6 27H17l4-27z", "M94 83H81l4 25 6 27h12l-4-27z"]],
  ["hands", ["M17 135h12l1 15-8 6-8-7z", "M103 135H91l-1 15 8 6 8-7z"]],
  ["upper back", ["M39 83h42v17H39z"]],
  ["mid back", ["M39 100h42l-1 17H40z"]],
  ["lower back", ["M40 117h40v17H40z"]],
  ["hips", ["M40 134h40l4 18H36z"]],
  ["legs", ["M36 152h23l-3 74H43z", "M84 152H61l3 74h13z"]],
  ["feet", ["M43 226h13l-1 9H40z", "M77 226H64l1 9h15z"]],
];

export function bodyControl(control, answer) {
  const chosen = new Set();
  const places = new Map(control.options.map((option) => [option.value, option.label]));
  const list = element("div", { className: "places", role: "group", aria: { label: "Places" } });
  const figures = element("div", { className: "figures", aria: { hidden: "true" } }, figure(FRONT, "Front"), figure(BACK, "Back"));

  function choose(place) {
    const had = chosen.has(place);
    if (!control.multiple) chosen.clear();
    if (had) chosen.delete(place);
    else chosen.add(place);
    for (const item of list.children) item.setAttribute("aria-pressed", String(chosen.has(item.value)));
    for (const region of figures.querySelectorAll("[data-place]")) region.classList.toggle("chosen", chosen.has(region.dataset.place));
    list.querySelector('[aria-pressed="true"]')?.scrollIntoView({ block: "nearest" });
  }
  for (const [value, label] of places) list.append(button(label, () => choose(value), { value, aria: { pressed: "false" } }));
  figures.addEventListener("click", (event) => {
    const place = event.target.dataset?.place;
    if (places.has(place)) choose(place);
  });

  const word = element("input", { id: "word", maxLength: 60, autocomplete: "off" });
  const done = () => {
    if (!chosen.size) { list.firstElementChild.focus(); return; }
    const value = [...chosen].map((place) => ({ place, word: word.value.trim() }));
    const said = [...chosen].join(", ");
    answer({ value, text: word.value.trim() ? `${said}: ${word.value.trim()}` : said });
  };
  const foot = element("div", { className: "row word" });
  if (control.with_word) foot.append(element("label", { htmlFor: "word", textContent: "A word, if there is one" }), word);
  foot.append(button("Done", done, { className: "button primary" }));
  return [element("div", { className: "body" }, figures, list), foot];
}

function figure(regions, name) {
  const drawn = regions.map(([place, paths]) => shape("g", {}, ...paths.map((d) => {
    const path = shape("path", { d });
    path.dataset.place = place;
    return path;
  })));
  const caption = shape("text", { x: 60, y: 250, "text-anchor": "middle" });
  caption.textContent = name;
  return shape("svg", { viewBox: "8 0 104 254" }, ...drawn, caption);
}
