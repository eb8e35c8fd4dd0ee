// The attachments that a person can send: a photo or a file from the device, a voice message, or a place.
import * as api from "./api.js";
import { $, h } from "./dom.js";
import { attempt } from "./notices.js";
import { store } from "./state.js";

const MOST = 10 * 2 ** 20; // maximum bytes of an attached file; a larger file is not needed for a test of the bot
const SILENCE = "T2dnUw=="; // the first bytes of an empty voice message, in base64
const PLACE = { latitude: 48.858, longitude: 2.294 };

function show(open) {
  $("attachments").hidden = !open;
  $("attach").setAttribute("aria-expanded", String(open));
}

async function send(content) {
  show(false);
  const chat = store.chats.get(store.open);
  if (!chat) return;
  const sender = chat.type === "channel" ? { sender_chat_id: chat.id } : {};
  const place = store.topic === null ? {} : { thread_id: store.topic };
  await attempt(() => api.write(chat.id, { user_id: store.person.id, ...sender, ...place, ...content }));
}

async function sendFile(file, fill) {
  if (!file) return;
  if (file.size > MOST) throw new Error("Files here may have 10 MB.");
  const bytes = new Uint8Array(await file.arrayBuffer());
  const base64 = btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ""));
  const kind = /^image\/(jpeg|png)$/.test(file.type) ? "photo" : "document";
  const caption = $("box").value.trim();
  if (caption) fill("");
  await send({ file: { kind, base64, name: file.name, type: file.type }, ...(caption ? { caption } : {}) });
}

/** `fill` puts a text into the box: a caption leaves the box. */
export function setUpAttachments(fill) {
  const chooser = $("chosen-file");
  const entry = (label, onclick) => h("button", { type: "button", class: "soft", onclick }, label);
  $("attachments").append(
    entry("Photo or file", () => chooser.click()),
    entry("Voice message", () => send({ file: { kind: "voice", base64: SILENCE, type: "audio/ogg" } })),
    entry("Location", () => send({ location: PLACE })));
  chooser.addEventListener("change", async () => {
    await attempt(() => sendFile(chooser.files[0], fill));
    chooser.value = "";
  });
  $("attach").addEventListener("click", () => show($("attachments").hidden));
  $("composer").addEventListener("keydown", (event) => event.key === "Escape" && show(false));
}
