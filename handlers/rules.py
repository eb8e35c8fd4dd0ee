"""/rules NAME only: #sale not: video: which stories of a profile bring an alert here."""

from bot.context import Context
from bot.domain import links, story_terms
from bot.domain.records import Subscription
from bot.domain.sentences import N_
from bot.presentation.actions import DANGER, OPTION, SUBSCRIPTION, Buttons, Page, back
from bot.presentation.html import code, shorten
from handlers.guard import command
from handlers.options import EVERYWHERE, OFF, change_named_options, changes_of, rule_lines
from handlers.replies import say
from handlers.subscriptions import ask_which_profile

WHICH = N_("Whose rules do you want to see?")
USAGE = N_(
    "Write it like this: <code>/rules natgeo only: #sale @nike nike.com not: video</code>\n"
    "You can use hashtags, names, websites, and the words photo, video, link, mention, hashtag, "
    "place, place:paris, sponsor and reshare. <code>/rules natgeo off</code> removes all rules."
)
TITLE = N_("<b>Rules for {username}</b>")
ALL = N_("You get alerts for all stories.")
UNKNOWN = N_("I don't understand {words}.")
TOO_MUCH = N_("That's too much for one rule. Please leave out {words}.")
LONGEST_LIST = 200  # characters of the words that a refusal names


@command("rules", channel_after=1, takes_names=True, usage=USAGE)
async def show_or_change_rules(context: Context) -> None:
    """Show or change the rules of a profile's subscription here."""
    words = context.words
    if not words:
        await ask_which_profile(context, WHICH, "rules", USAGE)
        return
    link, text = links.parse_argument(words[0]), " ".join(words[1:])
    parsed = story_terms.parse_rules(text)
    says_nothing = text and parsed == story_terms.Rules()  # "only:" alone takes no rules away
    if link is None or link.username is None or says_nothing:
        await say(context, context.t(USAGE))
        return
    if parsed.left_out and text.lower() != OFF:
        unknown = [word for word in parsed.left_out if not story_terms.is_term(word)]
        listed = shorten(", ".join(unknown or parsed.left_out), LONGEST_LIST)
        refusal = context.t(UNKNOWN if unknown else TOO_MUCH, words=code(listed))
        await say(context, f"{refusal}\n\n{context.t(USAGE)}")
        return
    written: dict[str, object] = {"only": parsed.only, "without": parsed.without} if text else {}
    if text.lower() == OFF:
        written = changes_of("rules", OFF)
    changed = await change_named_options(context, link.username, written)
    await say(context, *_rules_page(changed, context, OFF if len(changed) == 1 else EVERYWHERE))


def _rules_page(changed: list[Subscription], context: Context, where: str) -> Page:
    one, t = changed[0], context.t
    rules = rule_lines(one.options, context)
    lines = [t(TITLE, username=one.username), *(rules or [t(ALL)]), "", t(USAGE)]
    rows: Buttons = []
    if rules:
        rows.append(
            [context.button(N_("Remove all rules"), OPTION(one.id, "rules", where), DANGER)]
        )
    return "\n".join(lines), [*rows, [back(t, SUBSCRIPTION(one.id))]]
