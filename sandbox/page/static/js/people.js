// The person who uses the page, and the chats of the demo. This browser stores the person's id. A new
// run of the sandbox does not know the id, so a new person is created.
import * as api from "./api.js";
import { memory } from "./dom.js";

export const LANGUAGES = [
  ["en", "English"], ["es", "Español"], ["pt-br", "Português (Brasil)"],
  ["de", "Deutsch"], ["fr", "Français"], ["it", "Italiano"], ["tr", "Türkçe"],
  ["ru", "Русский"], ["ar", "العربية"], ["id", "Bahasa Indonesia"],
  ["uk", "Українська"],
  ["fa", "فارسی"],
  ["hi", "हिन्दी"],
];

/** The stored person if the person belongs to this run of the sandbox, otherwise a new person. */
export async function whoAmI(chats, run) {
  const kept = memory.read("person", null);
  const known = kept?.run === run && Number.isSafeInteger(kept?.id) && chats.some((chat) => chat.type === "private" && chat.id === kept.id);
  const language = guess(kept?.language_code);
  if (known) return kept.language_code === language ? kept : speak(kept, language);
  const others = chats.filter((chat) => chat.type === "private").length;
  const name = others ? `Guest ${others + 1}` : "You";
  const person = { ...(await api.createUser({ first_name: name, language_code: language })), run };
  memory.write("person", person);
  return person;
}

function guess(code) {
  const wanted = (code ?? navigator.language ?? "en").toLowerCase();
  const codes = LANGUAGES.map(([known]) => known);
  return codes.find((known) => known === wanted) ?? codes.find((known) => known.split("-")[0] === wanted.split("-")[0]) ?? "en";
}

/** Changes the language of the person. The chats and their messages stay. */
export async function speak(person, code) {
  await api.setLanguage(person.id, code);
  const changed = { ...person, language_code: code };
  memory.write("person", changed);
  return changed;
}

const TOPICS = [[2, "Photos"], [3, "Small talk"]];

/** The group, the channel and the forum in which people try the bot. Missing chats are created. */
export async function demoChats(person, chats) {
  await ensure(person, chats, { type: "group", title: "Friends" }, "member");
  await ensure(person, chats, { type: "channel", title: "Story news", username: "story_news" }, "administrator");
  const forum = { type: "supergroup", title: "Travel club", is_forum: true, bot_rights: { can_manage_topics: true } };
  await ensure(person, chats, forum, "administrator");
}

/** Creates the topics of the forum when the first visitor opens the forum. */
export async function openedForum(chat) {
  if (!chat?.is_forum || memory.read("topics", null) === chat.id) return;
  memory.write("topics", chat.id);
  const known = await api.messages(chat.id);
  if (known.some((message) => message.forum_topic_created)) return;
  for (const [thread, name] of TOPICS) await api.makeTopic(chat.id, thread, name);
}

/** Each visitor is an administrator of the demo's chats, because only administrators may change subscriptions. */
async function join(chat, person) {
  const members = await api.members(chat.id);
  if (members.some(({ user }) => user.id === person.id)) return;
  await api.setMember(chat.id, person.id, "administrator");
}

/** Creates a group or channel of a person, who then adds the bot. Returns the chat. */
export async function chatWithBot(person, type, chats) {
  const members = [{ user_id: person.id, status: "creator" }];
  const count = chats.filter((chat) => chat.title?.startsWith(`My ${type}`)).length;
  const title = count ? `My ${type} ${count + 1}` : `My ${type}`;
  const chat = await api.createChat({ type, title, members, bot_status: "left" });
  await api.addBot(chat.id, type === "channel" ? "administrator" : "member", person.id);
  return chat;
}

/** The chat with a title. If no chat has the title, the chat is created. */
async function ensure(person, chats, wanted, botStatus) {
  const { type, title } = wanted;
  const found = chats.find((chat) => chat.title === title && !chat._migrated_to && (chat.type === type || chat.type === "supergroup"));
  if (found) return join(found, person);
  const members = [{ user_id: person.id, status: "creator" }];
  return api.createChat({ ...wanted, members, bot_status: botStatus });
}
