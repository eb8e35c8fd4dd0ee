"""The operation of the bot: incidents, broadcasts, backups, clean-up, and data of the admin page.

Public: ``incidents.Incidents``, ``broadcast.Broadcasts``, ``backups.Backups``, ``owners.Owners``,
``overview.Overview``, ``watch.Watch``, ``clock_keeper.ClockKeeper``, ``menu.Menu``,
``preflight.CheckResult``.
"""
