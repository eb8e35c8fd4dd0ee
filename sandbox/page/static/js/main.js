// The start of the page: the person, the chats, the live events, and the actions of clicks.
import * as api from "./api.js";
import { avatar } from "./avatar.js";
import { setUpChatList } from "./chatlist.js";
import { commandList } from "./commands.js";
import { fill, send, setEdit, setReply, setUpComposer } from "./composer.js";
import { jump, setUpConversation } from "./conversation.js";
import { $, h } from "./dom.js";
import { setUpInline } from "./inline.js";
import { wake } from "./keyboard.js";
import { connect } from "./live.js";
import { attempt, toast } from "./notices.js";
import { setUpPanel } from "./panel.js";
import { LANGUAGES, chatWithBot, demoChats, openedForum, speak, whoAmI } from "./people.js";
import { begin, dropMessages, on, openChat, putChat, putMessage, setChats, setLinked, setMessages, startAction, store } from "./state.js";
import { setUpTopics } from "./topics.js";
import { setUpViewer } from "./viewer.js";

const wide = matchMedia("(min-width: 761px)");

const actions = { reply: setReply, edit: setEdit, forward, jump, command: send, link: followInside, fill: fillHere, fillSample, sendSample };

/** Forwards a message into the person's private chat with the bot, and opens this chat. */
async function forward(message) {
  const body = { user_id: store.person.id, forward: { chat_id: message.chat.id, message_id: message.message_id } };
  await attempt(() => api.write(store.person.id, body));
  location.hash = `#${store.person.id}`;
  route();
}

/** Handles links to the bot in the page: `?start=PAYLOAD` sends /start. `?startgroup` and `?startchannel` add the bot to a new chat. */
function followInside(url) {
  const name = store.bot?.username;
  const place = /^https?:\/\/t\.me\/(\w+)\?start(group|channel)\b/i.exec(url);
  if (place && place[1].toLowerCase() === name?.toLowerCase()) {
    addToNewChat(place[2].toLowerCase());
    return true;
  }
  const match = /^https?:\/\/(?:t\.me|telegram\.me)\/(\w+)(?:\?start=([\w-]+))?$/i.exec(url);
  if (!match || match[1].toLowerCase() !== name?.toLowerCase()) return false;
  location.hash = `#${store.person.id}`;
  route();
  if (match[2]) send(`/start ${match[2]}`);
  return true;
}

/** Creates and opens a new chat. Telegram would let the person choose a chat instead. */
async function addToNewChat(type) {
  const chat = await attempt(() => chatWithBot(store.person, type, [...store.chats.values()]));
  if (!chat) return;
  await refresh();
  location.hash = `#${chat.id}`;
  route();
}

/** Opens the chat with a title; without a title, the private chat with the bot. */
function openNamed(title) {
  const chat = [...store.chats.values()].find((one) => title && one.title === title);
  location.hash = `#${chat?.id ?? store.person.id}`;
  route();
}

function fillHere(text) {
  if (store.open === null) openNamed();
  closeDrawer();
  fill(text);
}

function fillSample(text, title) {
  openNamed(title);
  closeDrawer();
  fill(text);
}

function sendSample(text, title) {
  openNamed(title);
  closeDrawer();
  send(text);
}

function closeDrawer() {
  if (!matchMedia("(min-width: 1180px)").matches && $("app").dataset.panel === "open") $("panel-toggle").click();
}

/** Opens the chat in the address. The address has the open chat, so that "back" and "reload" work as usual. */
function route() {
  const wanted = Number(location.hash.slice(1));
  const found = store.chats.has(wanted) ? wanted : null;
  const target = found ?? (wide.matches ? store.person.id : null);
  $("app").dataset.pane = target === null ? "list" : "chat";
  if (target !== store.open || target === null) openChat(target);
}

/** Reads the bot again, because a bot may start, or a different bot may start, while the page is open. */
async function meetBot() {
  begin(store.person, (await api.world()).bot);
  await commandList.reload();
}

async function refresh() {
  const [chats] = await Promise.all([api.chats(), meetBot()]);
  setChats(chats);
  await Promise.all([...store.chats.keys()].map(async (id) => setMessages(id, await api.messages(id))));
}

const EVENTS = {
  message: arrived,
  edit: (event) => putMessage(event.chat_id, event.message),
  delete: (event) => dropMessages(event.chat_id, event.message_ids ?? [event.message_id]),
  action: (event) => startAction(event.chat_id, event.action),
  chat: (event) => (event.chat ? putChat(event.chat) : refresh()),
  callback: (event) => wake(event.callback_query_id),
  commands: () => attempt(meetBot),
  resync: () => refresh(),
};

/** Continues a group that became a supergroup under the new id. */
async function follow(chatId, newId) {
  await refresh();
  if (store.open === chatId) location.replace(`#${newId}`);
}

function arrived({ chat_id: chatId, message }) {
  putMessage(chatId, message);
  if (message.migrate_to_chat_id) attempt(() => follow(chatId, message.migrate_to_chat_id));
}

function received(event) {
  if (event.message && !store.chats.has(event.chat_id)) putChat(event.message.chat);
  if (event.chat_id && event.kind !== "chat" && !store.chats.has(event.chat_id)) return;
  EVENTS[event.kind]?.(event);
}

async function linked(up) {
  setLinked(up);
  if (up) {
    const restarted = await attempt(async () => (await api.world()).run !== store.person.run);
    if (restarted) location.reload();
    else if (restarted === false) await attempt(refresh);
  }
  document.documentElement.dataset.linked = String(store.linked); // set after refresh(), so that no event is missed
}

function languages() {
  const select = $("language");
  select.append(...LANGUAGES.map(([code, name]) => h("option", { value: code }, name)));
  select.value = store.person.language_code;
  select.addEventListener("change", () => attempt(async () => {
    const person = await speak(store.person, select.value);
    begin(person, store.bot);
    toast("The bot hears of it with your next message.");
  }));
}

async function start() {
  const [known, world] = await Promise.all([api.chats(), api.world()]);
  const person = await whoAmI(known, world.run);
  begin(person, world.bot);
  await demoChats(person, known);
  setUpViewer();
  setUpChatList();
  setUpTopics();
  setUpConversation(actions);
  setUpComposer();
  setUpInline(actions);
  on("open", () => attempt(() => openedForum(store.chats.get(store.open))));
  $("me").replaceChildren(avatar(person, "small"));
  languages();
  await refresh();
  addEventListener("hashchange", route);
  wide.addEventListener("change", route);
  route();
  await setUpPanel(world, actions);
  connect(received, linked);
  document.documentElement.dataset.ready = "true";
}

$("theme").addEventListener("click", () => window.toggleTheme());
$("back").addEventListener("click", () => (location.hash = ""));
$("start").addEventListener("click", () => send("/start"));
start().catch((error) => toast(`The page could not start: ${error.message}`, "error"));
