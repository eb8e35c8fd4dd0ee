// Pictures of chats without a photo: a bell for the bot, otherwise two letters on a colour of the chat.
import { h, icon } from "./dom.js";
import { hue, initials } from "./model.js";
import { store } from "./state.js";

export function avatar(who, size = "") {
  if (who.id === store.bot?.id) return h("span", { class: `avatar bot ${size}`, "aria-hidden": "true" }, icon("bell"));
  const style = { "--hue": hue(who.id) };
  const face = who.type === "channel" ? icon("megaphone") : initials(who);
  return h("span", { class: `avatar ${size}`, "aria-hidden": "true", style }, face);
}

/** The user or chat whose name and picture a chat shows: the bot in its private chat, otherwise the chat itself. */
export const faceOf = (chat) => (chat.type === "private" ? store.bot ?? chat : chat);
