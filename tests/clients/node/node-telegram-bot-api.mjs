// node-telegram-bot-api against the sandbox:
// node node-telegram-bot-api.mjs <api root> <token> <chat id> <photo> <video>
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { Api, InlineKeyboardBuilder, TelegramApiError } from "node-telegram-bot-api";
import { fromPath } from "node-telegram-bot-api/node";

const [root, token, chatText, photoPath, videoPath] = process.argv.slice(2);
const chat_id = Number(chatText);
const api = new Api(token, { apiRoot: root });
const refused = (pattern) => (error) =>
  error instanceof TelegramApiError && pattern.test(error.description);

const me = await api.getMe();
assert.ok(me.is_bot);

const said = await api.sendMessage({
  chat_id,
  text: "<b>hello</b>",
  parse_mode: "HTML",
  reply_markup: new InlineKeyboardBuilder().text("press", "pressed").build(),
});
assert.equal(said.text, "hello");

const photo = await api.sendPhoto({ chat_id, photo: await fromPath(photoPath), caption: "one" });
assert.deepEqual([photo.photo.at(-1).width, photo.photo.at(-1).height], [1080, 1920]);
const video = await api.sendVideo({ chat_id, video: await fromPath(videoPath) });
assert.equal(video.video.height, 1280);

const album = await api.sendMediaGroup({
  chat_id,
  media: [
    { type: "photo", media: await fromPath(photoPath), caption: "first" },
    { type: "video", media: await fromPath(videoPath) },
  ],
});
assert.equal(album[0].media_group_id, album[1].media_group_id);
const again = await api.sendMediaGroup({
  chat_id,
  media: [
    { type: "photo", media: album[0].photo.at(-1).file_id },
    { type: "video", media: album[1].video.file_id },
  ],
});
assert.equal(again[1].video.file_unique_id, album[1].video.file_unique_id);

const where = { chat_id, message_id: said.message_id };
const edited = await api.editMessageText({ ...where, text: "changed" });
assert.equal(edited.text, "changed");
await assert.rejects(
  api.editMessageText({ ...where, text: "changed" }),
  refused(/message is not modified/),
);
await assert.rejects(
  api.sendMessage({ chat_id, text: "<wrong>", parse_mode: "HTML" }),
  refused(/can't parse entities/),
);

const updates = await api.getUpdates({ timeout: 5 });
const query = updates.find((update) => update.callback_query).callback_query;
assert.ok(await api.answerCallbackQuery({ callback_query_id: query.id, text: "seen" }));

const file = await api.getFile({ file_id: album[0].photo.at(-1).file_id });
const answer = await fetch(`${root}/file/bot${token}/${file.file_path}`);
assert.ok(Buffer.from(await answer.arrayBuffer()).equals(await readFile(photoPath)));

await api.sendChatAction({ chat_id, action: "upload_photo" });
assert.ok(await api.deleteMessage(where));
console.log("ok");
