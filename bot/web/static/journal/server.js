// Talking to the API: reading messages, and sending one until it has arrived.
import { pause } from "./elements.js";

const API = "/api/v1";
let token = document.querySelector("meta[name=csrf-token]").content;

export class Refused extends Error {} // the server said no; its sentence is the message

async function ask(path, options) {
  const response = await fetch(API + path, options);
  if (response.status === 401) location.assign("/login?next=/journal");
  return response;
}

export async function read(query) {
  const response = await ask(`/messages?${new URLSearchParams(query)}`);
  if (!response.ok) throw new Error("not read");
  return (await response.json()).messages;
}

export async function alertStatus() {
  const response = await ask("/alert-status");
  if (!response.ok) throw new Error("not read");
  return (await response.json()).alert;
}

// Sends a message; the server knows it by its client_id, so trying again is safe. `told` hears that it takes longer.
export async function send(message, told) {
  for (let attempt = 0; ; attempt += 1) {
    let response;
    try {
      response = await ask("/messages", {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": token },
        body: JSON.stringify(message),
      });
    } catch {
      told();
      await pause(Math.min(15000, 1000 * 2 ** attempt));
      continue;
    }
    if (response.ok) return;
    const { error } = await response.json().catch(() => ({ error: null }));
    if (error?.code === "stale_page" && attempt === 0) {
      token = (await (await ask("/session")).json()).csrf_token;
      continue;
    }
    if (response.status >= 500 && attempt < 5) {
      told();
      await pause(1000 * 2 ** attempt);
      continue;
    }
    throw new Refused(error?.message ?? "That did not go through. It is still here; please try again.");
  }
}
