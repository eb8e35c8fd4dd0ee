// The texts of chat actions, such as "is typing…", for the header and the chat list.
import { nameOf } from "./model.js";
import { store } from "./state.js";

const DOING = {
  typing: "typing",
  upload_photo: "sending a photo",
  record_video: "recording a video",
  upload_video: "sending a video",
  upload_document: "sending a file",
  upload_voice: "sending a voice message",
  record_voice: "recording a voice message",
  choose_sticker: "choosing a sticker",
  find_location: "looking for a place",
};

export function actionLine(chat, action) {
  const doing = `${DOING[action] ?? "working"}…`;
  return chat.type === "private" ? `is ${doing}` : `${nameOf(store.bot)} is ${doing}`;
}
