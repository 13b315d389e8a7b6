// The conversation: bubbles in order, a short typing pause between them, days named, older history on scroll.
import { element, pause, stillness } from "./elements.js";

const LONGEST_PAUSE = 900; // milliseconds between two bubbles of the assistant
const day = new Intl.DateTimeFormat([], { weekday: "long", month: "long", day: "numeric" });

export class Conversation {
  constructor(log, fetchBefore) {
    this.log = log;
    this.fetchBefore = fetchBefore;
    this.known = new Set();
    this.newest = 0;
    this.oldest = Infinity;
    this.dots = element("p", { className: "bubble assistant dots", aria: { hidden: "true" } }, element("span"), element("span"), element("span"));
    this.atEnd = true;
    log.addEventListener("scroll", () => {
      this.atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 40;
      this.older();
    });
    new ResizeObserver(() => { if (this.atEnd) this.toEnd(); }).observe(log); // the answers below take more room, or less
  }

  // Adds messages that are not yet on the page and resolves with them once all are shown. The first page comes at once.
  async add(messages) {
    const first = this.newest === 0;
    const fresh = messages.filter((message) => !this.known.has(message.id));
    for (const message of fresh) {
      this.known.add(message.id);
      this.newest = Math.max(this.newest, message.seq);
      this.oldest = Math.min(this.oldest, message.seq);
    }
    let waited = false;
    for (const message of fresh) {
      if (waited && !first && message.from === "assistant") await this.type(message);
      this.append(message);
      waited = message.from === "assistant";
    }
    this.wait(false);
    return fresh;
  }

  append(message) {
    this.dots.remove();
    this.unsend(message.client_id);
    const bubble = this.bubble(message);
    if (bubble) this.log.append(...this.dayBefore(message, this.log.lastElementChild), bubble);
    this.toEnd();
  }

  // My words while they are on their way.
  send(clientId, text) {
    const made = element("p", { className: "bubble patient pending", textContent: text });
    made.dataset.client = clientId;
    this.log.append(made);
    this.toEnd();
  }

  unsend(clientId) {
    if (clientId) this.log.querySelector(`[data-client="${CSS.escape(clientId)}"]`)?.remove();
  }

  wait(waiting) {
    if (waiting) this.log.append(this.dots);
    else this.dots.remove();
    this.toEnd();
  }

  async type(message) {
    if (stillness.matches || message.kind === "crisis" || !message.text) return;
    this.wait(true);
    await pause(Math.min(LONGEST_PAUSE, 250 + 8 * message.text.length));
    this.wait(false);
  }

  bubble(message) {
    if (!message.text) return null;
    const made = element("p", { className: `bubble ${message.from} ${message.kind}`, textContent: message.text });
    made.dataset.at = message.at;
    if (message.small_print) made.append(element("span", { className: "print", textContent: message.small_print }));
    const links = (message.links ?? []).map((link) => element("a", { className: "button", href: link.href, textContent: link.label }));
    if (links.length) made.append(element("span", { className: "links" }, ...links));
    return made;
  }

  dayBefore(message, previous) {
    const name = day.format(new Date(message.at));
    if (previous?.dataset.at && day.format(new Date(previous.dataset.at)) === name) return [];
    if (!previous && name === day.format(new Date())) return [];
    return [element("p", { className: "day", textContent: name })];
  }

  async older() {
    if (this.log.scrollTop > 60 || this.loading || this.oldest <= 1 || this.oldest === Infinity) return;
    this.loading = true;
    const height = this.log.scrollHeight;
    const messages = await this.fetchBefore(this.oldest);
    const bubbles = [];
    for (const message of messages.filter((one) => !this.known.has(one.id))) {
      this.known.add(message.id);
      const bubble = this.bubble(message);
      if (bubble) bubbles.push(...this.dayBefore(message, bubbles.at(-1) ?? null), bubble);
    }
    this.oldest = messages.length ? Math.min(...messages.map((one) => one.seq)) : 0;
    this.log.prepend(...bubbles);
    this.log.scrollTop += this.log.scrollHeight - height;
    this.loading = false;
  }

  toEnd() {
    this.log.scrollTop = this.log.scrollHeight;
  }
}
