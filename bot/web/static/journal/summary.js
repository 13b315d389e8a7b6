// The summary card: my words, each line editable or left out, and four equal buttons with nothing chosen beforehand.
import { button, element } from "./elements.js";

export function summaryControl(control, answer, dock) {
  const edits = {};
  dock.card = { lines: edits }; // sent along with typed words, such as "keep this private"
  const card = element("div", { className: "summary" });
  for (const line of control.lines) card.append(summaryLine(line, edits));
  const actions = control.options.map((option) => button(option.label, () => answer({ value: option.value, text: option.label, lines: edits })));
  return [card, element("div", { className: "summary-actions" }, ...actions)];
}

function summaryLine(line, edits) {
  const id = `line-${line.id}`;
  const text = element("textarea", { id, value: line.text, rows: 1, className: "own" });
  const leave = button("Leave out", () => {
    const out = !text.disabled;
    text.disabled = out;
    edits[line.id] = out ? null : text.value;
    leave.setAttribute("aria-pressed", String(out));
    row.classList.toggle("out", out);
  }, { className: "button quiet", aria: { pressed: "false", label: `Leave out: ${line.label}` } });
  text.addEventListener("input", () => { edits[line.id] = text.value; grow(text); });
  requestAnimationFrame(() => grow(text));
  const row = element("div", { className: "line" }, element("label", { htmlFor: id, textContent: line.label }), text, leave);
  return row;
}

export function grow(text) {
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight + 2}px`;
}
