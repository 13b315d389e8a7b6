// The unsent draft, kept on this device encrypted with a key that only the signed-in page gets, or not at all.
const NAME = "draft";

export class Draft {
  static async open(key) {
    const draft = new Draft();
    try {
      const raw = Uint8Array.from(atob(key), (letter) => letter.charCodeAt(0));
      draft.key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
    } catch { /* no cryptography here: the draft lives only as long as the page */ }
    return draft;
  }

  // Keeps `{client_id, text}`, or forgets the draft when there is no text.
  async keep(value) {
    this.latest = value;
    if (!value.text) { localStorage.removeItem(NAME); return; }
    if (!this.key) return;
    const nonce = crypto.getRandomValues(new Uint8Array(12));
    const plain = new TextEncoder().encode(JSON.stringify(value));
    const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, this.key, plain));
    if (this.latest === value) localStorage.setItem(NAME, JSON.stringify([[...nonce], [...sealed]]));
  }

  async kept() {
    try {
      const [nonce, sealed] = JSON.parse(localStorage.getItem(NAME));
      const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: new Uint8Array(nonce) }, this.key, new Uint8Array(sealed));
      return JSON.parse(new TextDecoder().decode(plain));
    } catch {
      localStorage.removeItem(NAME); // none, or another person's
      return null;
    }
  }
}
