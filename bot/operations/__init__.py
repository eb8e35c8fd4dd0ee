"""The operation of the bot: incidents, broadcasts, backups, clean-up, and data of the admin page.

Input: the state of the process, and the owner's commands. Output: messages to the owners, backups
of the database, and figures about the bot. Public: ``incidents.Incidents``,
``broadcast.Broadcasts``, ``backups.Backups``, ``owners.Owners``, ``overview.Overview``,
``watch.Watch``, ``clock_keeper.ClockKeeper``, ``menu.Menu``, ``preflight.CheckResult``.
"""
