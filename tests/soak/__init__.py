"""The soak: weeks of the bot's life in minutes, with everything that can go wrong in them.

Bot and sandbox run in one process on a jumping clock. A seed decides who writes what and when,
what fails, and at which await the bot dies; the same seed gives the same run, event by event.
`python -m tests.soak --seeds 20` runs seeds side by side and says what was violated.

- `wires`: one thread and no network, so that a run can be repeated; lives that can be killed.
- `people`, `weather`: what people do, and what fails. `fans`: people who use all of it.
- `contents`: what stories hold, and what of it fits a subscription's rules.
- `journal`: what happened, as the sandbox saw it and as the bot's tables say.
- `rates`: how much happens, in an ordinary week and in the few rough hours of plants.
- `expected`, `promises`: when each story must come, by the documentation, and whether it did.
- `meetings`: two deeds at a time while a story waits, until all pairs of features have met.
- `invariants`: what must hold. `plants`: mistakes put into the bot, which must be found.
- `run`: one seed from its first second to its last.
"""
