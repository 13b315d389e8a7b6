// Small builders for the elements that every part of the page is made of.

export function element(tag, properties = {}, ...children) {
  const { aria = {}, ...rest } = properties;
  const made = Object.assign(document.createElement(tag), rest);
  for (const [name, value] of Object.entries(aria)) made.setAttribute(`aria-${name}`, value);
  made.append(...children);
  return made;
}

export function button(label, act, properties = {}) {
  const made = element("button", { type: "button", className: "button", textContent: label, ...properties });
  made.addEventListener("click", () => act(made));
  return made;
}

export function shape(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export const stillness = matchMedia("(prefers-reduced-motion: reduce)");
export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
