// The viewer: a dialog that shows media in full size, with arrows, keys, swipes and thumbnails.
import { $, h, icon, iconButton } from "./dom.js";
import { formatted } from "./entities.js";
import { clockTime, mediaOf, nameOf, senderOf, textOf } from "./model.js";

const SWIPE = 50; // minimum px of a swipe
let items = [];
let at = 0;

/** Opens the media of `messages` at `index`. */
export function openViewer(messages, index) {
  items = messages;
  at = index;
  if (!$("viewer").open) $("viewer").showModal();
  draw();
}

function draw() {
  const message = items[at];
  $("viewer").replaceChildren(top(message), stage(message), ...steps(), bottom(message));
  $("viewer").querySelector(".strip [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
  $("viewer").querySelector(".viewer-close").focus({ preventScroll: true });
}

function top(message) {
  const who = h("strong", { dir: "auto" }, nameOf(senderOf(message)));
  const count = items.length > 1 ? `${at + 1} of ${items.length}` : "";
  const when = h("span", {}, [clockTime(message.date), count].filter(Boolean).join(" · "));
  const media = mediaOf(message);
  const save = h("a", { class: "icon-button", href: media.src, download: "", "aria-label": "Save", title: "Save" }, icon("download"));
  const close = iconButton("close", "Close", () => $("viewer").close(), "icon-button viewer-close");
  return h("header", {}, h("div", { class: "who", "aria-live": "polite" }, who, when), save, close);
}

function stage(message) {
  const media = mediaOf(message);
  const label = `${media.type === "photo" ? "Photo" : "Video"} ${at + 1} of ${items.length}`;
  const node = media.type === "photo"
    ? h("img", { src: media.src, alt: label, class: "full" })
    : h("video", { src: media.src, poster: media.poster, controls: true, autoplay: true, loop: media.type === "animation", playsinline: "", class: "full", "aria-label": label });
  node.style.aspectRatio = `${media.width} / ${media.height}`;
  const frame = h("div", { class: "stage" }, node);
  frame.addEventListener("click", (event) => event.target === frame && $("viewer").close());
  return frame;
}

function steps() {
  const back = iconButton("left", "Previous", () => go(at - 1), "icon-button step back-step");
  const on = iconButton("right", "Next", () => go(at + 1), "icon-button step on-step");
  back.disabled = at === 0;
  on.disabled = at === items.length - 1;
  return items.length > 1 ? [back, on] : [];
}

function bottom(message) {
  const own = textOf(message);
  const captions = items.map(textOf).filter(({ text }) => text);
  const { text, entities } = own.text || captions.length !== 1 ? own : captions[0];
  const caption = text ? h("p", { class: "viewer-caption", dir: "auto" }, formatted(text, entities)) : null;
  return h("footer", {}, caption, items.length > 1 ? strip() : null);
}

function strip() {
  return h("div", { class: "strip" }, items.map((message, index) => {
    const media = mediaOf(message);
    const picture = media.type === "photo" || media.poster
      ? h("img", { src: media.poster ?? media.src, alt: "" })
      : h("video", { src: media.src, preload: "metadata" });
    const current = index === at ? "true" : null;
    return h("button", { type: "button", "aria-label": `Item ${index + 1}`, "aria-current": current, onclick: () => go(index) }, picture);
  }));
}

function go(index) {
  if (index < 0 || index >= items.length) return;
  at = index;
  draw();
}

const KEYS = {
  ArrowLeft: () => go(at - 1),
  ArrowRight: () => go(at + 1),
  Home: () => go(0),
  End: () => go(items.length - 1),
};

/** Adds the listeners for the viewer's keys and swipes. Call this function once. */
export function setUpViewer() {
  const viewer = $("viewer");
  let touched = null;
  viewer.addEventListener("keydown", (event) => {
    if (!KEYS[event.key]) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  viewer.addEventListener("touchstart", (event) => (touched = event.touches[0].clientX), { passive: true });
  viewer.addEventListener("touchend", (event) => {
    const moved = event.changedTouches[0].clientX - (touched ?? event.changedTouches[0].clientX);
    if (Math.abs(moved) > SWIPE) go(at + (moved < 0 ? 1 : -1));
  });
  viewer.addEventListener("close", () => viewer.replaceChildren());
}
