// Toasts and alerts: the two forms of a bot's answer to a pressed button.
import { ApiError } from "./api.js";
import { $, h } from "./dom.js";

const TOAST_LIFE = 3_500;

export function toast(text, kind = "info") {
  const node = h("div", { class: `toast ${kind}`, dir: "auto" }, text);
  $("toasts").append(node);
  setTimeout(() => node.classList.add("leaving"), TOAST_LIFE);
  setTimeout(() => node.remove(), TOAST_LIFE + 300);
}

/** Shows a dialog with one button. The promise resolves when the dialog is closed. */
export function alert(text) {
  const dialog = h("dialog", { class: "alert", "aria-labelledby": "alert-text" });
  const close = h("button", { type: "button", class: "primary", onclick: () => dialog.close() }, "OK");
  dialog.append(h("p", { id: "alert-text", dir: "auto" }, text), close);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve();
    });
  });
}

/** Runs `work`. After a failure, shows a toast with the error, and returns undefined. */
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    toast(error instanceof ApiError ? error.message : "The sandbox does not answer.", "error");
    return undefined;
  }
}
