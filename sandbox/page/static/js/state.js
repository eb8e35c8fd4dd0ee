// The state of the page: a single store that only this module changes. The modules that draw are listeners.
import { memory } from "./dom.js";
import { isMine, serviceOf } from "./model.js";

const listeners = new Map();

/** Calls `listener` after each change of a topic: "chats", "messages", "open", "action", "link", "person", "topic". */
export function on(topic, listener) {
  listeners.set(topic, [...(listeners.get(topic) ?? []), listener]);
}

function emit(topic, detail) {
  for (const listener of listeners.get(topic) ?? []) listener(detail);
}

const GAP = 60; // minimum ms between two drawings if many events arrive
const due = new Map(); // by "topic detail": the event to emit
let lastFlush = -Infinity;

/** Emits an event as soon as the last emission was GAP ms ago. Equal events in this time are emitted once. */
function emitSoon(topic, detail) {
  if (due.size === 0) setTimeout(flush, Math.max(0, lastFlush + GAP - performance.now()));
  due.set(`${topic} ${detail}`, [topic, detail]);
}

function flush() {
  const now = [...due.values()];
  due.clear();
  for (const [topic, detail] of now) emit(topic, detail);
  lastFlush = performance.now();
}

export const store = {
  person: null,
  bot: null,
  open: null, // id of the chat on screen
  topic: null, // the forum topic on screen; null if all topics are shown, or if the chat has no topics
  linked: false, // whether the live connection is open
  chats: new Map(),
  skew: 0, // the sandbox's time minus this machine's time, in seconds
};
const messagesOf = new Map();
const actions = new Map();
let reads = {};

export const now = () => Date.now() / 1000 + store.skew;

export function begin(person, bot) {
  const again = store.person?.id === person.id;
  store.person = person;
  store.bot = bot;
  const kept = again ? reads : memory.read("reads", {});
  reads = kept.person === person.id && kept.run === person.run ? kept : { person: person.id, run: person.run };
  emit("person");
}

/** Returns whether a chat is shown: the person's private chat, and each group or channel that was not migrated. */
const concerns = (chat) => (chat.type === "private" ? chat.id === store.person?.id : !chat._migrated_to);

export function setChats(chats) {
  store.chats = new Map(chats.filter(concerns).map((chat) => [chat.id, chat]));
  emitSoon("chats");
}

export function putChat(chat) {
  if (!concerns(chat)) return;
  store.chats.set(chat.id, { ...store.chats.get(chat.id), ...chat });
  emitSoon("chats");
}

/** The messages of a chat, oldest first. */
export const messages = (chatId) =>
  [...(messagesOf.get(chatId)?.values() ?? [])].sort((a, b) => a.message_id - b.message_id);

export const lastMessage = (chatId) => {
  let last = null;
  for (const message of messagesOf.get(chatId)?.values() ?? []) {
    if (!last || message.message_id > last.message_id) last = message;
  }
  return last;
};

export const messageOf = (chatId, messageId) => messagesOf.get(chatId)?.get(messageId);

export function setMessages(chatId, list) {
  const kept = list.filter((message) => !message._deleted);
  messagesOf.set(chatId, new Map(kept.map((message) => [message.message_id, message])));
  if (chatId === store.open) markRead(chatId);
  emitSoon("messages", chatId);
}

export function putMessage(chatId, message) {
  if (!messagesOf.has(chatId)) messagesOf.set(chatId, new Map());
  messagesOf.get(chatId).set(message.message_id, message);
  if (message._from_bot) endAction(chatId);
  if (chatId === store.open && document.hasFocus()) markRead(chatId);
  emitSoon("messages", chatId);
}

export function dropMessages(chatId, ids) {
  for (const id of ids) messagesOf.get(chatId)?.delete(id);
  emitSoon("messages", chatId);
}

/** The messages that an open chat shows: the messages of the topic on screen, or all messages. */
export const shownIn = (chatId) =>
  messages(chatId).filter((message) => store.topic === null || message.message_thread_id === store.topic);

/** The topics of a forum or private chat, in the order in which they were made: {id, name}. */
export function topicsOf(chatId) {
  const names = new Map();
  for (const { message_thread_id: id, forum_topic_created: made, forum_topic_edited: edited } of messages(chatId)) {
    const name = (made ?? edited)?.name;
    if (name) names.set(id, name);
  }
  return [...names].map(([id, name]) => ({ id, name }));
}

export function openTopic(topic) {
  store.topic = topic;
  emit("topic");
}

export function openChat(chatId) {
  store.open = chatId;
  store.topic = null;
  if (chatId !== null) markRead(chatId);
  emit("open");
}

export function markRead(chatId) {
  const last = lastMessage(chatId)?.message_id ?? 0;
  if (last <= (reads[chatId] ?? 0)) return;
  reads[chatId] = last;
  memory.write("reads", reads);
  emitSoon("chats");
}

export function unread(chatId) {
  let count = 0;
  for (const message of messagesOf.get(chatId)?.values() ?? []) {
    const fresh = message.message_id > (reads[chatId] ?? 0);
    if (fresh && !isMine(message, store.person) && !serviceOf(message)) count += 1;
  }
  return count;
}

const ACTION_LIFE = 5_000; // ms for which a chat action is shown; Bot API, sendChatAction

export function startAction(chatId, action) {
  clearTimeout(actions.get(chatId)?.timer);
  actions.set(chatId, { action, timer: setTimeout(() => endAction(chatId), ACTION_LIFE) });
  emit("action", chatId);
}

export function endAction(chatId) {
  if (!actions.has(chatId)) return;
  clearTimeout(actions.get(chatId).timer);
  actions.delete(chatId);
  emit("action", chatId);
}

export const actionIn = (chatId) => actions.get(chatId)?.action ?? null;

export function setLinked(linked) {
  store.linked = linked;
  emit("link");
}
