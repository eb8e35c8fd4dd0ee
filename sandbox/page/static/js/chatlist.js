// The chat list on the left side: every chat with its last message, the time, and the unread messages.
import { avatar, faceOf } from "./avatar.js";
import { $, h, reconcile } from "./dom.js";
import { clockTime, dayLabel, isMine, mediaOf, nameOf, preview, senderOf, serviceOf } from "./model.js";
import { actionIn, lastMessage, messages, now, on, store, unread } from "./state.js";
import { actionLine } from "./actions.js";

const rank = (chat) => ({ private: 0, group: 1, supergroup: 1, channel: 2 })[chat.type];
const pinned = (chat) => (chat.type === "private" ? 0 : 1);

/** The chat with the bot is the first chat. All other chats are sorted by their latest message. */
function ordered() {
  const newest = (chat) => lastMessage(chat.id)?.date ?? 0;
  return [...store.chats.values()].sort((a, b) => pinned(a) - pinned(b) || newest(b) - newest(a) || rank(a) - rank(b));
}

function describe(chat) {
  const last = lastMessage(chat.id);
  const name = nameOf(faceOf(chat));
  const action = actionIn(chat.id);
  const line = action ? actionLine(chat, action) : last ? lineOf(chat, last) : "No messages yet";
  const count = unread(chat.id);
  const row = { name, line, action: Boolean(action), when: last ? when(last.date) : "", count, open: chat.id === store.open };
  return { ...row, key: String(chat.id), chat, thumb: last && thumbOf(last), signature: JSON.stringify(row) };
}

function lineOf(chat, message) {
  const album = message.media_group_id
    ? messages(chat.id).filter((other) => other.media_group_id === message.media_group_id)
    : [message];
  const text = album.map((item) => item.caption ?? item.text).find(Boolean);
  const line = text ? preview({ text }) : album.length > 1 ? `Album of ${album.length}` : preview(message);
  if (serviceOf(message)) return line;
  if (isMine(message, store.person)) return `You: ${line}`;
  return chat.type === "group" || chat.type === "supergroup" ? `${nameOf(senderOf(message))}: ${line}` : line;
}

function thumbOf(message) {
  const media = mediaOf(message);
  return media && !media.spoiler ? media.poster ?? (media.type === "photo" ? media.src : null) : null;
}

function when(seconds) {
  const label = dayLabel(seconds, now());
  return label === "Today" ? clockTime(seconds) : label;
}

function rowNode({ chat, name, line, action, when: time, count, open, thumb }) {
  const link = h("a", { class: "chat-row", href: `#${chat.id}`, "aria-current": open ? "page" : null },
    avatar(faceOf(chat)),
    h("span", { class: "row-text" },
      h("span", { class: "row-top" }, h("strong", { dir: "auto" }, name), h("time", {}, time)),
      h("span", { class: "row-bottom" },
        thumb && !action ? h("img", { class: "thumb", src: thumb, alt: "" }) : null,
        h("span", { class: action ? "line doing" : "line", dir: "auto" }, line),
        count ? h("span", { class: "unread" }, count > 99 ? "99+" : String(count)) : null,
        count ? h("span", { class: "spoken" }, "unread") : null)));
  return h("li", {}, link);
}

function draw() {
  reconcile($("chats"), ordered().map(describe), rowNode);
  const total = [...store.chats.keys()].reduce((sum, id) => sum + unread(id), 0);
  document.title = total ? `(${total}) Storybell` : "Storybell";
}

export function setUpChatList() {
  for (const topic of ["chats", "messages", "open", "action", "person"]) on(topic, draw);
}
