// grammY against the sandbox: node grammy.mjs <api root> <token> <chat id> <photo> <video>
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { Api, GrammyError, InlineKeyboard, InputFile, InputMediaBuilder } from "grammy";

const [root, token, chatText, photoPath, videoPath] = process.argv.slice(2);
const chat = Number(chatText);
const api = new Api(token, { apiRoot: root });

const me = await api.getMe();
assert.ok(me.is_bot);

const said = await api.sendMessage(chat, "<b>hello</b>", {
  parse_mode: "HTML",
  reply_markup: new InlineKeyboard().text("press", "pressed").url("see", "https://example.org/"),
});
assert.equal(said.text, "hello");
assert.equal(said.reply_markup.inline_keyboard[0].length, 2);

const photo = await api.sendPhoto(chat, new InputFile(photoPath), { caption: "one" });
assert.deepEqual([photo.photo.at(-1).width, photo.photo.at(-1).height], [1080, 1920]);
const video = await api.sendVideo(chat, new InputFile(videoPath), { supports_streaming: true });
assert.equal(video.video.width, 720);

const album = await api.sendMediaGroup(chat, [
  InputMediaBuilder.photo(new InputFile(photoPath), { caption: "first" }),
  InputMediaBuilder.video(new InputFile(videoPath)),
]);
assert.equal(album.length, 2);
assert.equal(album[0].media_group_id, album[1].media_group_id);
const again = await api.sendMediaGroup(chat, [
  InputMediaBuilder.photo(album[0].photo.at(-1).file_id),
  InputMediaBuilder.video(album[1].video.file_id),
]);
assert.equal(again[0].photo.at(-1).file_unique_id, album[0].photo.at(-1).file_unique_id);

const edited = await api.editMessageText(chat, said.message_id, "changed");
assert.equal(edited.text, "changed");
await assert.rejects(
  api.editMessageText(chat, said.message_id, "changed"),
  (error) => error instanceof GrammyError && /message is not modified/.test(error.description),
);
await assert.rejects(
  api.sendMessage(chat, "<wrong>", { parse_mode: "HTML" }),
  (error) => error.error_code === 400 && /can't parse entities/.test(error.description),
);

const updates = await api.getUpdates({ timeout: 5, allowed_updates: ["message", "callback_query"] });
const query = updates.find((update) => update.callback_query).callback_query;
assert.ok(await api.answerCallbackQuery(query.id, { text: "seen" }));
await api.getUpdates({ offset: updates.at(-1).update_id + 1, limit: 1, timeout: 0 });

const file = await api.getFile(album[0].photo.at(-1).file_id);
const answer = await fetch(`${root}/file/bot${token}/${file.file_path}`);
assert.ok(Buffer.from(await answer.arrayBuffer()).equals(await readFile(photoPath)));

await api.sendChatAction(chat, "upload_photo");
await api.setMyCommands([{ command: "stories", description: "Stories of a profile" }]);
assert.equal((await api.getMyCommands())[0].command, "stories");
assert.ok(await api.deleteMessage(chat, said.message_id));
console.log("ok");
