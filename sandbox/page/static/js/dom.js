// Elements, icons and the DOM helpers that all other modules share.

const SVG = "http://www.w3.org/2000/svg";
const ICONS = "/page/static/icons.svg";

/** Builds an element: h("button", { class: "send", onclick }, "Send"). Empty children are omitted. */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) assign(node, name, value);
  node.append(...children.flat(Infinity).filter((child) => child || child === 0));
  return node;
}

function assign(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (name === "style") setStyles(node, value);
  else if (name === "data") Object.assign(node.dataset, value);
  else if (value === true && name in node) node[name] = true;
  else node.setAttribute(name === "class" ? "class" : name, value === true ? "" : value);
}

// Sets styles by the CSSOM, because a strict Content-Security-Policy forbids style attributes.
function setStyles(node, styles) {
  for (const [name, value] of Object.entries(styles)) node.style.setProperty(name, value);
}

/** An icon of the sprite. The icon is decoration, so the button with the icon has the label. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${ICONS}#${name}`);
  svg.append(use);
  return svg;
}

/** A button that shows only an icon. A screen reader and the tooltip use the label. */
export function iconButton(name, label, onclick, className = "icon-button") {
  return h("button", { type: "button", class: className, "aria-label": label, title: label, onclick }, icon(name));
}

export const $ = (id) => document.getElementById(id);

/** Replaces the children of a list with keys. A node is kept if its signature has not changed. */
export function reconcile(parent, items, build) {
  const old = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  let cursor = parent.firstElementChild;
  for (const item of items) {
    const kept = old.get(item.key);
    const same = kept && kept.signature === item.signature;
    const node = same ? kept : build(item, kept);
    node.dataset.key = item.key;
    node.signature = item.signature;
    if (kept && !same) {
      if (cursor === kept) cursor = kept.nextElementSibling;
      kept.remove();
    }
    old.delete(item.key);
    if (node === cursor) cursor = cursor.nextElementSibling;
    else parent.insertBefore(node, cursor);
  }
  for (const node of old.values()) node.remove();
}

/** Stores small values in this browser. A full or forbidden storage is not an error. */
export const memory = {
  read(key, fallback) {
    try {
      return JSON.parse(localStorage.getItem(`storybell.${key}`)) ?? fallback;
    } catch {
      return fallback;
    }
  },
  write(key, value) {
    try {
      localStorage.setItem(`storybell.${key}`, JSON.stringify(value));
    } catch {
      // In private browsing, the browser may refuse the storage. The page still works, but loses the values at a reload.
    }
  },
};
