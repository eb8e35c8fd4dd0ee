// The chat on screen: the header, the messages, and the scroll position.
import * as api from "./api.js";
import { actionLine } from "./actions.js";
import { avatar, faceOf } from "./avatar.js";
import { blocksOf } from "./blocks.js";
import { $, h, icon, reconcile } from "./dom.js";
import { blockNode } from "./message.js";
import { isMine, nameOf } from "./model.js";
import { actionIn, markRead, messages, now, on, shownIn, store } from "./state.js";

const PAGE = 150; // number of messages drawn at first; each press of "earlier" draws this number of further messages
const NEAR = 120; // px; a scroll position nearer to the end counts as "at the end"
const scrolls = new Map(); // by chat: the distance from the end, kept while a different chat is open
const counts = new Map(); // by chat: the number of members
let limit = PAGE;
let drawn = null;
let missed = 0;
let newest = 0; // the latest message that was drawn

const log = () => $("log");
const fromEnd = () => log().scrollHeight - log().scrollTop - log().clientHeight;

function header() {
  const chat = store.chats.get(store.open);
  $("chat-head").hidden = !chat;
  if (!chat) return;
  const face = faceOf(chat);
  $("chat-face").replaceChildren(avatar(face));
  $("chat-title").textContent = nameOf(face);
  subtitle();
}

function standing(chat) {
  if (chat.type === "private") return "bot";
  const [one, many, kind] = chat.type === "channel" ? ["subscriber", "subscribers", "channel"] : ["member", "members", "group"];
  const count = counts.get(chat.id);
  return count ? `${count} ${count === 1 ? one : many}` : chat.is_forum ? "forum" : kind;
}

async function count(chatId) {
  if (chatId === null || store.chats.get(chatId)?.type === "private") return;
  const members = await api.members(chatId).catch(() => []);
  counts.set(chatId, members.filter(({ status }) => status !== "left" && status !== "kicked").length);
  subtitle();
}

function subtitle() {
  const chat = store.chats.get(store.open);
  if (!chat) return;
  const action = actionIn(chat.id);
  const line = $("chat-sub");
  line.classList.toggle("doing", Boolean(action) && store.linked);
  if (!store.linked) line.textContent = "connecting…";
  else if (action) line.replaceChildren(actionLine(chat, action), dots());
  else line.textContent = standing(chat);
}

const dots = () => h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i"));

function draw(actions) {
  const all = store.open === null ? [] : shownIn(store.open);
  const shown = all.slice(-limit);
  const place = `${store.open}:${store.topic ?? ""}`;
  const switched = drawn !== place;
  const stick = switched || fromEnd() < NEAR;
  reconcile($("blocks"), blocksOf(shown, store.person, now()), (block) => blockNode(block, actions));
  $("earlier").hidden = all.length <= shown.length;
  // A channel shows no request to write to the bot, because each text in a channel is a post.
  $("empty").hidden = all.length > 0 || store.open === null || store.chats.get(store.open)?.type === "channel";
  drawn = place;
  if (switched) toEnd(scrolls.get(store.open) ?? 0);
  else if (stick) toEnd(0);
}

function toEnd(distance) {
  log().scrollTop = log().scrollHeight - log().clientHeight - distance;
}

/** Draws older messages above the shown messages. The shown messages do not move. */
function earlier(actions) {
  const distance = fromEnd();
  limit += PAGE;
  draw(actions);
  toEnd(distance);
}

function endButton() {
  const away = fromEnd() > NEAR * 2;
  $("to-end").hidden = !away;
  if (!away) missed = 0;
  $("missed").textContent = missed ? String(missed) : "";
  $("missed").hidden = !missed;
}

function opened(actions) {
  limit = PAGE;
  missed = 0;
  newest = store.open === null ? 0 : messages(store.open).at(-1)?.message_id ?? 0;
  header();
  draw(actions);
  endButton();
  count(store.open);
}

function arrived(chatId, actions) {
  if (chatId !== store.open) return;
  const reading = fromEnd() > NEAR;
  draw(actions);
  const fresh = messages(chatId).filter((message) => message.message_id > newest);
  if (fresh.length && isMine(fresh.at(-1), store.person)) toEnd(0);
  else if (reading) missed += fresh.length;
  newest = fresh.at(-1)?.message_id ?? newest;
  endButton();
}

/** Scrolls to a message and highlights it for a moment. */
export function jump(messageId) {
  const target = [...$("blocks").querySelectorAll("article")].findLast((node) => Number(node.dataset.id) <= messageId);
  if (!target) return;
  target.scrollIntoView({ block: "center", behavior: "smooth" });
  target.classList.remove("flash");
  requestAnimationFrame(() => target.classList.add("flash"));
}

export function setUpConversation(actions) {
  on("open", () => opened(actions));
  on("topic", () => opened(actions));
  on("chats", header);
  on("person", header);
  on("messages", (chatId) => arrived(chatId, actions));
  for (const topic of ["action", "link"]) on(topic, subtitle);
  $("earlier").addEventListener("click", () => earlier(actions));
  $("to-end").append(icon("down"));
  $("to-end").addEventListener("click", () => log().scrollTo({ top: log().scrollHeight, behavior: "smooth" }));
  log().addEventListener("scroll", () => {
    scrolls.set(store.open, fromEnd());
    endButton();
  }, { passive: true });
  addEventListener("focus", () => store.open !== null && markRead(store.open));
  // A keyboard that slides in, or a bubble that grows, must not hide the last message.
  new ResizeObserver(() => (scrolls.get(store.open) ?? 0) < NEAR && toEnd(0)).observe(log());
}
