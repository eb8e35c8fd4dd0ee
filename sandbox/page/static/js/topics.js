// The tabs above a chat with topics. A tab shows all messages or one topic. New messages go to the shown topic.
import { $, h, reconcile } from "./dom.js";
import { on, openTopic, store, topicsOf } from "./state.js";

function tabs() {
  const chat = store.chats.get(store.open);
  const topics = chat ? topicsOf(chat.id) : [];
  return topics.length ? [{ id: null, name: "All" }, ...topics] : [];
}

function draw() {
  const rows = tabs().map((topic) => ({ ...topic, key: `t-${topic.id}`, chosen: topic.id === store.topic }));
  for (const row of rows) row.signature = JSON.stringify(row);
  $("topics").hidden = rows.length === 0;
  reconcile($("topics"), rows, ({ id, name, chosen }) =>
    h("button", { type: "button", "aria-pressed": String(chosen), dir: "auto", onclick: () => openTopic(id) }, name));
}

export function setUpTopics() {
  for (const topic of ["open", "chats", "topic"]) on(topic, draw);
  on("messages", (chatId) => chatId === store.open && draw());
}
