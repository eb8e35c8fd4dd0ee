// The text box. The Enter key sends the text, "/" suggests the bot's commands, and a reply is shown above.
import * as api from "./api.js";
import { setUpAttachments } from "./attach.js";
import { commandList, setUpCommands } from "./commands.js";
import { $, h } from "./dom.js";
import { inlineBar } from "./inline.js";
import { nameOf, preview, senderOf } from "./model.js";
import { attempt } from "./notices.js";
import { lastMessage, on, store } from "./state.js";

const drafts = new Map(); // by chat: {text, reply}
let reply = null;
let edited = null; // the person's message that is edited in the box, or null
let drawn = null;
let heard = 0; // the latest message that was checked for a request to reply

const box = () => $("box");

function grow() {
  box().style.height = "auto";
  box().style.height = `${Math.min(box().scrollHeight, 180)}px`;
  $("send").disabled = box().value.trim() === "";
  commandList.propose(box().value);
  inlineBar.propose(box().value);
}

/** Puts a text into the box. The person can then send or change the text. */
export function fill(text) {
  box().value = text;
  grow();
  box().focus();
}

export function setReply(message) {
  reply = message;
  $("reply-bar").hidden = !message;
  if (!message) {
    box().placeholder = HINTS[store.chats.get(store.open)?.type] ?? "";
    return;
  }
  $("reply-name").textContent = nameOf(senderOf(message));
  $("reply-line").textContent = preview(message);
  box().focus();
}

/** Puts a message of the person into the box, so that the person can edit the message. */
export function setEdit(message) {
  setReply(null);
  edited = message;
  fill(message.text ?? message.caption ?? "");
}

/** Writes `text` into the open chat as the person (in a channel, as the channel). */
export async function send(text) {
  const chat = store.chats.get(store.open);
  if (!chat || !text.trim()) return false;
  if (edited) {
    const { message_id: id, chat: where } = edited;
    edited = null;
    return Boolean(await attempt(() => api.edit(where.id, id, { text: text.trim() })));
  }
  const message = { user_id: store.person.id, text: text.trim() };
  if (reply) {
    message.reply_to = reply.message_id;
    if (reply.message_thread_id) message.thread_id = reply.message_thread_id;
  }
  if (store.topic !== null) message.thread_id = store.topic;
  if (chat.type === "channel") message.sender_chat_id = chat.id;
  setReply(null);
  return Boolean(await attempt(() => api.write(chat.id, message)));
}

async function submit() {
  const text = box().value;
  if (!text.trim()) return;
  const kept = reply;
  box().value = "";
  grow();
  if (await send(text)) return;
  fill(text); // puts the typed text back, so that the text is not lost
  setReply(kept);
}

function keydown(event) {
  if (event.isComposing) return;
  if (commandList.keydown(event)) return;
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    submit();
  } else if (event.key === "Escape") {
    if (edited) fill("");
    edited = null;
    setReply(null);
    inlineBar.close();
  }
}

const HINTS = { private: "Story link or /stories natgeo", channel: "Post to the channel", group: "Message", supergroup: "Message" };

/** Handles the request in the bot's latest message: a reply to the message, or a choice among given answers. */
function asked(message) {
  const markup = message?._reply_keyboard;
  if (!markup) return;
  if (markup.force_reply) setReply(message);
  const keys = (markup.keyboard ?? []).map((row) => h("div", { class: "row" }, row.map((key) => answerKey(key.text ?? key, markup))));
  $("replies").replaceChildren(...keys);
  $("replies").hidden = keys.length === 0;
  if (markup.input_field_placeholder) box().placeholder = markup.input_field_placeholder;
}

function answerKey(text, markup) {
  const onclick = () => {
    if (markup.one_time_keyboard) $("replies").hidden = true;
    send(text);
  };
  return h("button", { type: "button", class: "soft", dir: "auto", onclick }, text);
}

function arrived(chatId) {
  const last = lastMessage(chatId);
  if (chatId !== store.open || !last || last.message_id <= heard) return;
  heard = last.message_id;
  asked(last);
}

function opened() {
  if (drawn !== null) drafts.set(drawn, { text: box().value, reply });
  drawn = store.open;
  const chat = store.chats.get(store.open);
  $("composer").hidden = !chat;
  if (!chat) return;
  const draft = drafts.get(store.open) ?? { text: "", reply: null };
  box().value = draft.text;
  setReply(draft.reply);
  grow();
  $("replies").hidden = true;
  heard = 0;
  arrived(store.open);
  if (matchMedia("(hover: hover)").matches) box().focus({ preventScroll: true });
}

export function setUpComposer() {
  on("open", opened);
  on("messages", arrived);
  box().addEventListener("input", grow);
  box().addEventListener("keydown", keydown);
  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  $("reply-close").addEventListener("click", () => setReply(null));
  setUpCommands({ fill, send });
  setUpAttachments(fill);
}
