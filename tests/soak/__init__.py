"""The soak test: weeks of the bot's operation in minutes, with failures of all kinds.

The bot and the sandbox run in one process on a jumping clock. A seed determines the messages and
their times, the failures, and the await at which the bot is killed. The same seed produces the
same run, event by event. `python -m tests.soak --seeds 20` runs seeds in parallel and prints the
violations.

- `wires`: a single thread without a network, for repeatable runs, and killable processes.
- `people`, `weather`: actions of persons, and failures. `fans`: users of all features.
- `lists`: users of imports, searches, [Send them all] and the bill. `answers`: the checks of their
  answers. `summaries`: the checks of daily summaries.
- `contents`: the contents of stories, and a check of the contents by a subscription's rules.
- `journal`: the events, as recorded by the sandbox and by the bot's tables.
- `rates`: frequencies of events in an ordinary week and in short runs with planted bugs.
- `expected`, `promises`: the documented arrival times of stories, and their verification.
- `undone`: stories that rules had excluded until Undo.
- `meetings`: two actions while a story is pending, until all pairs of features were combined.
- `invariants`: conditions of every run. `plants`: bugs in the bot that must be detected.
- `run`: one seed from start to end.
"""
