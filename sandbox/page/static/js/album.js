// Pictures and videos in a bubble: a single item, or the mosaic of an album.
import { h, icon } from "./dom.js";
import { duration, mediaOf } from "./model.js";
import { mosaic } from "./mosaic.js";
import { openViewer } from "./viewer.js";

const WIDEST = 420; // px; the maximum width of an album; a single tall picture is narrower
const TALLEST = 465;
const SCREENFUL = 52; // maximum height of a single picture in % of the window's height
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const revealed = new Set(); // addresses of the files whose spoiler the person has removed

// Videos play only while they are on screen.
const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting && !calm.matches) target.play().catch(() => {});
    else target.pause();
  }
}, { threshold: 0.35 });

/** The media of a bubble's messages in one box. A click on an item opens the viewer at this item. */
export function mediaBox(messages) {
  const shown = messages.filter(mediaOf);
  const media = shown.map(mediaOf);
  const { height, tiles } = mosaic(media.map((item) => item.width / item.height));
  const single = media.length === 1;
  const tall = `min(${Math.max(180, TALLEST / height)}px, ${SCREENFUL / height}dvh)`;
  const box = h("div", {
    class: single ? "media single" : "media album",
    style: { "--width": single ? `min(${WIDEST}px, ${tall})` : `${WIDEST}px`, "aspect-ratio": `1 / ${height}` },
    data: { count: media.length },
  });
  media.forEach((item, index) => {
    const label = `${name(item)}${single ? "" : ` ${index + 1} of ${media.length}`}: open`;
    box.append(tile(item, tiles[index], label, () => openViewer(shown, index)));
  });
  return box;
}

const name = (item) => ({ photo: "Photo", video: "Video", animation: "GIF" })[item.type];
const percent = (part) => `${(part * 100).toFixed(3)}%`;

function tile(item, { x, y, w, h: height }, label, open) {
  const style = { left: percent(x), top: percent(y), width: percent(w), height: percent(height) };
  const node = h("button", { type: "button", class: "tile", style, "aria-label": label }, picture(item));
  if (item.type === "video" && item.duration !== undefined) {
    node.append(h("span", { class: "badge" }, icon("play"), duration(item.duration)));
  }
  if (item.type === "animation") node.append(h("span", { class: "badge" }, "GIF"));
  const hidden = item.spoiler && !revealed.has(item.src);
  if (hidden) node.append(h("span", { class: "veil" }, icon("eye")));
  node.classList.toggle("hidden-media", hidden);
  if (hidden) node.setAttribute("aria-label", label.replace(": open", ", hidden: show"));
  node.addEventListener("click", () => (node.classList.contains("hidden-media") ? reveal(node, item, label) : open()));
  return node;
}

function reveal(node, item, label) {
  revealed.add(item.src);
  node.classList.remove("hidden-media");
  node.setAttribute("aria-label", label);
  node.querySelector(".veil")?.remove();
}

function picture(item) {
  if (item.type === "photo") {
    const image = h("img", { src: item.src, alt: "", loading: "lazy", decoding: "async" });
    image.addEventListener("load", () => image.classList.add("loaded"));
    image.addEventListener("error", () => image.closest(".tile")?.classList.add("broken"));
    return image;
  }
  const video = h("video", { src: item.src, poster: item.poster, muted: true, loop: true, playsinline: "", preload: "metadata", tabindex: "-1" });
  video.muted = true;
  video.addEventListener("loadeddata", () => video.classList.add("loaded"));
  video.addEventListener("error", () => video.closest(".tile")?.classList.add("broken"));
  watcher.observe(video);
  return video;
}
