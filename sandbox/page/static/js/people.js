// Who one is here, and the chats of the demo. The person's id is kept in this browser; a sandbox that
// was started anew does not know it, and then a new person is made.
import * as api from "./api.js";
import { memory } from "./dom.js";

export const LANGUAGES = [
  ["en", "English"], ["es", "Español"], ["pt-br", "Português (Brasil)"],
  ["ru", "Русский"], ["ar", "العربية"], ["id", "Bahasa Indonesia"],
];

/** The kept person, if the sandbox still knows them, else a new one. */
export async function whoAmI(chats) {
  const kept = memory.read("person", null);
  const known = Number.isSafeInteger(kept?.id) && chats.some((chat) => chat.type === "private" && chat.id === kept.id);
  const language = guess(kept?.language_code);
  if (known) return { ...kept, language_code: language };
  const person = await api.createUser({ first_name: "You", username: "you", language_code: language });
  memory.write("person", person);
  return person;
}

function guess(code) {
  const wanted = (code ?? navigator.language ?? "en").toLowerCase();
  const codes = LANGUAGES.map(([known]) => known);
  return codes.find((known) => known === wanted) ?? codes.find((known) => known.split("-")[0] === wanted.split("-")[0]) ?? "en";
}

/** Speaks another language from now on; the chats and their history stay. */
export async function speak(person, code) {
  await api.setLanguage(person.id, code);
  const changed = { ...person, language_code: code };
  memory.write("person", changed);
  return changed;
}

/** A group and a channel to try the bot in: those that are there, or new ones. */
export async function demoChats(person, chats) {
  await ensure(person, chats, { type: "group", title: "Friends" }, "member");
  await ensure(person, chats, { type: "channel", title: "Story news" }, "administrator");
}

async function ensure(person, chats, { type, title }, botStatus) {
  const found = chats.find((chat) => chat.title === title && (chat.type === type || chat.type === "supergroup"));
  if (found) return api.setMember(found.id, person.id, type === "channel" ? "administrator" : "member").catch(() => null);
  const members = [{ user_id: person.id, status: "creator" }];
  return api.createChat({ type, title, members, bot_status: botStatus });
}
