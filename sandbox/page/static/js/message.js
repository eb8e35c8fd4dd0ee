// The DOM node of a block of a conversation. A block is a date, a service line or a bubble.
import { mediaBox } from "./album.js";
import { h, icon, iconButton } from "./dom.js";
import { formatted } from "./entities.js";
import { keyboard } from "./keyboard.js";
import { avatar } from "./avatar.js";
import { bytes, clockTime, fileOf, hue, mediaOf, nameOf, preview, senderOf, textOf } from "./model.js";

/** The node of a block; `actions` has reply(message), jump(id), command(text), link(url), fill(text). */
export function blockNode(block, actions) {
  if (block.type === "date") return h("div", { class: "pill date", role: "separator" }, block.label);
  if (block.type === "service") return h("div", { class: "pill", dir: "auto" }, block.text);
  return bubbleNode(block, actions);
}

function bubbleNode(block, actions) {
  const { messages, mine, first, last, sender } = block;
  const chat = messages[0].chat;
  const crowd = !mine && chat.type !== "private" && chat.type !== "channel";
  const classes = ["message", mine ? "mine" : "theirs", first && "first", last && "last", crowd && "crowd"];
  const node = h("article", { class: classes.filter(Boolean).join(" "), data: { id: messages[0].message_id }, "aria-label": spoken(block) });
  if (crowd) node.append(last ? avatar(sender, "small") : h("span", { class: "avatar small ghost" }));
  const captioned = captionOf(messages);
  const keys = keyboard(messages.at(-1), actions);
  const bubble = h("div", { class: shape(block, captioned, keys) }, parts(block, captioned, crowd, actions));
  node.append(h("div", { class: keys ? "column keyed" : "column" }, bubble, keys), tools(messages[0], mine, actions));
  node.addEventListener("dblclick", (event) => event.target.closest(".bubble, button, a") || actions.reply(messages[0]));
  return node;
}

function spoken({ messages, mine, sender }) {
  const what = messages.length > 1 ? `album of ${messages.length}` : preview(messages[0]);
  return `${mine ? "You" : nameOf(sender)}, ${clockTime(messages[0].date)}: ${what}`;
}

/** The message whose text is shown below the media. An album shows a caption only if exactly one item has a caption. */
function captionOf(messages) {
  const withText = messages.filter((message) => textOf(message).text);
  return withText.length === 1 ? withText[0] : null;
}

function shape({ messages, last }, captioned, keys) {
  const media = messages.some(mediaOf);
  const classes = ["bubble", media && "with-media", media && !captioned && "bare", last && !keys && "tail"];
  return classes.filter(Boolean).join(" ");
}

function parts(block, captioned, crowd, actions) {
  const { messages, first, sender } = block;
  const file = fileOf(messages[0]);
  const { text, entities } = captioned ? textOf(captioned) : { text: "", entities: [] };
  return [
    crowd && first ? h("div", { class: "name", dir: "auto", style: { "--hue": hue(sender.id) } }, nameOf(sender)) : null,
    messages[0].via_bot ? h("div", { class: "via" }, `via @${messages[0].via_bot.username}`) : null,
    quote(messages[0].reply_to_message, actions),
    messages.some(mediaOf) ? mediaBox(messages) : null,
    file ? fileRow(file) : null,
    h("div", { class: text ? "text" : "text empty", dir: "auto" }, formatted(text, entities, actions), meta(block)),
    reactions(messages),
  ];
}

/** The reactions to the messages, or null without reactions. */
function reactions(messages) {
  const signs = messages.flatMap((message) => message._reactions ?? []);
  if (signs.length === 0) return null;
  return h("div", { class: "reactions", role: "img", "aria-label": `Reactions: ${signs.join(" ")}` }, signs.map((sign) => h("span", {}, sign)));
}

function quote(original, actions) {
  if (!original) return null;
  const label = `In reply to ${nameOf(senderOf(original))}: ${preview(original)}`;
  return h("button", { type: "button", class: "quote", "aria-label": label, onclick: () => actions.jump(original.message_id) },
    h("strong", { dir: "auto" }, nameOf(senderOf(original))), h("span", { dir: "auto" }, preview(original)));
}

function fileRow(file) {
  if (file.audio) return h("audio", { controls: true, src: file.src, preload: "none" });
  return h("a", { class: "file", href: file.src, download: file.name }, h("span", { class: "file-icon" }, icon("file")),
    h("span", { class: "file-name" }, h("strong", { dir: "auto" }, file.name), h("span", {}, bytes(file.size))));
}

/** The time, the word "edited" and the two ticks, which float at the end of the last line of the text. */
function meta({ messages, mine }) {
  const message = messages.at(-1);
  const edited = messages.some(({ edit_date: date }) => date);
  const stamp = new Date(message.date * 1000);
  return h("span", { class: "meta" }, edited ? "edited " : "",
    h("time", { datetime: stamp.toISOString(), title: stamp.toLocaleString("en-GB") }, clockTime(message.date)),
    mine ? icon("ticks") : null);
}

function tools(message, mine, actions) {
  const tool = (name, label, act) => iconButton(name, label, () => act(message), "icon-button tool");
  const edit = mine && message.text && actions.edit;
  return h("div", { class: "tools" },
    tool("reply", "Reply", actions.reply),
    edit ? tool("pencil", "Edit", actions.edit) : null,
    actions.forward ? tool("forward", "Forward to the bot", actions.forward) : null);
}
