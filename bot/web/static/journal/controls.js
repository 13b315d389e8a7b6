// How a question may be answered: each answer type has its own control. `answer({value, text, lines})` sends it.
import { bodyControl } from "./body.js";
import { button, element } from "./elements.js";
import { summaryControl } from "./summary.js";
import { timedControl } from "./timer.js";

const CONTROLS = {
  none: (control, answer) => {
    const go = button("Continue", () => answer({ value: "continue", text: "Continue" }), { className: "button primary" });
    return control.seconds ? timedControl(control, go) : [element("div", { className: "row" }, go)];
  },
  scale: scaleControl,
  choice: (control, answer) => [choices(control, answer), ...hint(control.with_text, "Or write your own below.")],
  part: (control, answer) => [choices(control, answer), ...hint(true, "Write a name below. Any word will do.", control.options.length && "Or write another name below.")],
  multi: multiControl,
  body: bodyControl,
  summary: summaryControl,
  text: () => [],
  short_text: () => hint(true, "A word or a short line is enough."),
};

// Fills the dock with the control of the current question.
export function draw(dock, control, answer) {
  dock.replaceChildren();
  dock.card = null;
  if (!control) return;
  const send = (given) => answer({ control_id: control.id, ...given });
  dock.append(...CONTROLS[control.type](control, send, dock));
  const aside = [];
  if (control.lot) aside.push(button("This is a lot", () => send({ value: "lot", text: "This is a lot" }), { className: "button quiet" }));
  if (control.skippable && control.type !== "none") aside.push(button("Skip", () => send({ value: "skip", text: "Skip" }), { className: "button quiet" }));
  if (aside.length) dock.append(element("div", { className: "row aside" }, ...aside));
}

function choices(control, answer) {
  const made = control.options.map((option) => button(option.label, () => answer({ value: option.value, text: option.label })));
  return element("div", { className: "row" }, ...made);
}

function hint(shown, text, instead) {
  return shown ? [element("p", { className: "hint", textContent: instead || text })] : [];
}

function scaleControl(control, answer) {
  const row = element("div", { className: "scale", role: "group" });
  row.setAttribute("aria-label", `${control.minimum} ${control.minimum_label} to ${control.maximum} ${control.maximum_label}`);
  const word = (text, end) => element("span", { className: `end ${end}`, textContent: text, aria: { hidden: "true" } });
  const numbers = element("div", { className: "numbers" });
  for (let n = control.minimum; n <= control.maximum; n += 1) {
    const words = { [control.minimum]: control.minimum_label, [control.maximum]: control.maximum_label }[n];
    const made = button(String(n), () => answer({ value: n, text: String(n) }));
    if (words) made.setAttribute("aria-label", `${n}, ${words}`);
    numbers.append(made);
  }
  row.append(word(control.minimum_label, "low"), numbers, word(control.maximum_label, "high"));
  return [row];
}

function multiControl(control, answer) {
  const chosen = new Map();
  const row = element("div", { className: "row" });
  for (const option of control.options) {
    row.append(button(option.label, (made) => {
      if (!chosen.delete(option.value)) chosen.set(option.value, option.label);
      made.setAttribute("aria-pressed", String(chosen.has(option.value)));
    }, { aria: { pressed: "false" } }));
  }
  const parts = [row];
  let own = null;
  if (control.with_text) {
    own = element("input", { id: "own", maxLength: 200, autocomplete: "off" });
    parts.push(element("label", { htmlFor: "own", textContent: "Something else" }), own);
  }
  const done = () => {
    const words = own?.value.trim() ? [own.value.trim()] : [];
    const value = [...chosen.keys(), ...words];
    if (value.length) answer({ value, text: [...chosen.values(), ...words].join(", ") });
    else (row.querySelector("button") ?? own).focus();
  };
  parts.push(element("div", { className: "row" }, button("Done", done, { className: "button primary" })));
  return parts;
}
