// A face for whoever has no picture: a bell for the bot, else two letters on a colour of their own.
import { h, icon } from "./dom.js";
import { hue, initials } from "./model.js";
import { store } from "./state.js";

export function avatar(who, size = "") {
  if (who.id === store.bot?.id) return h("span", { class: `avatar bot ${size}`, "aria-hidden": "true" }, icon("bell"));
  const style = { "--hue": hue(who.id) };
  const face = who.type === "channel" ? icon("megaphone") : initials(who);
  return h("span", { class: `avatar ${size}`, "aria-hidden": "true", style }, face);
}

/** Who a chat shows as: the bot in the private chat with it, else the chat itself. */
export const faceOf = (chat) => (chat.type === "private" ? store.bot ?? chat : chat);
