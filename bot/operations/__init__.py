"""The operation of the bot: incidents, broadcasts, backups, clean-up, and the admin page's data.

Input: the state of the process, and the owner's commands. Output: messages to the owners, backups
of the database, and figures. Public: ``incidents.Incidents``, ``broadcast.Broadcasts``,
``backups.Backups``, ``owners.Owners``, ``overview.Overview``, ``watch.Watch``,
``clock_keeper.ClockKeeper``, ``menu.Menu``, ``preflight.Finding``.
"""
