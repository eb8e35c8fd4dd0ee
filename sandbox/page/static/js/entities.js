// Conversion of a text with Bot API MessageEntity objects into DOM nodes. JavaScript strings and the
// offsets of entities both count UTF-16 units, so slice() needs no conversion.
import { h } from "./dom.js";
import { now, store } from "./state.js";

const BLOCKS = new Set(["pre", "blockquote", "expandable_blockquote"]);
const SAFE_LINK = /^(https?|tg|mailto|tel):/i;

/**
 * The formatted text as a fragment. `actions` may have `command(text)` and `link(url) -> bool`.
 * `link` returns true if the page itself has handled the link.
 */
export function formatted(text, entities = [], actions = {}) {
  const sorted = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  const fragment = document.createDocumentFragment();
  fragment.append(...span(text, sorted, 0, text.length, actions));
  return fragment;
}

function span(text, entities, start, end, actions) {
  const nodes = [];
  let at = start;
  let index = 0;
  while (index < entities.length) {
    const entity = entities[index];
    const from = Math.max(entity.offset, at);
    const to = Math.min(entity.offset + entity.length, end);
    index += 1;
    if (from >= to) continue;
    const inner = [];
    while (index < entities.length && entities[index].offset < to) inner.push(entities[index++]);
    if (from > at) nodes.push(text.slice(at, from));
    nodes.push(wrap(entity, text.slice(from, to), span(text, inner, from, to, actions), actions));
    at = to;
    // A block element ends its line, so a line break after the block would be shown as an empty line.
    if (BLOCKS.has(entity.type) && text[at] === "\n" && at < end) at += 1;
  }
  if (at < end) nodes.push(text.slice(at, end));
  return nodes;
}

const TAGS = { bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code" };

function wrap(entity, raw, children, actions) {
  const { type } = entity;
  if (TAGS[type]) return h(TAGS[type], {}, children);
  if (type === "pre") return h("pre", { "data-language": entity.language }, h("code", {}, children));
  if (type === "blockquote") return h("blockquote", {}, children);
  if (type === "expandable_blockquote") return expandable(children);
  if (type === "spoiler") return spoiler(children);
  if (type === "text_link") return link(entity.url, children, actions);
  if (type === "url") return link(SAFE_LINK.test(raw) ? raw : `https://${raw}`, children, actions);
  if (type === "email") return link(`mailto:${raw}`, children, actions);
  if (type === "phone_number") return link(`tel:${raw}`, children, actions);
  if (type === "date_time") return time(entity, raw);
  if (type === "bot_command" && actions.command) return command(raw, children, actions);
  if (["mention", "text_mention", "hashtag", "cashtag", "bot_command"].includes(type)) {
    return h("span", { class: "tagged" }, children);
  }
  return h("span", {}, children);
}

const UNITS = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

/** A time. The format "r" shows the time relative to now, in the reader's language. Any other format shows the text `raw`. */
function time(entity, raw) {
  const stamp = new Date(entity.unix_time * 1000);
  const shown = entity.date_time_format === "r" ? relative(entity.unix_time - now()) : raw;
  return h("time", { datetime: stamp.toISOString(), title: raw }, shown);
}

function relative(seconds) {
  const words = new Intl.RelativeTimeFormat(store.person?.language_code ?? "en", { numeric: "auto" });
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", Infinity]; // under a minute: "now"
  return words.format(Math.trunc(seconds / size), unit);
}

function link(url, children, actions) {
  if (!SAFE_LINK.test(url)) return h("span", {}, children);
  const onclick = (event) => {
    if (actions.link?.(url)) event.preventDefault();
  };
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer", onclick }, children);
}

function command(raw, children, actions) {
  return h("button", { type: "button", class: "command-link", dir: "ltr", onclick: () => actions.command(raw) }, children);
}

function spoiler(children) {
  // A <button> is not used, because a <button> would not wrap over lines.
  const node = h("span", { class: "spoiler", role: "button", tabindex: "0", "aria-label": "Hidden text: show it" }, children);
  const show = () => {
    node.classList.add("shown");
    for (const name of ["role", "tabindex", "aria-label"]) node.removeAttribute(name);
  };
  node.addEventListener("click", show);
  node.addEventListener("keydown", (event) => event.key === "Enter" && show());
  return node;
}

function expandable(children) {
  const node = h("blockquote", { class: "expandable", tabindex: "0" }, children);
  const open = () => node.classList.add("open");
  node.addEventListener("click", open);
  node.addEventListener("keydown", (event) => event.key === "Enter" && open());
  return node;
}
