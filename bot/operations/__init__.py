"""Operations: incidents, broadcasts, backups, clean-up, figures of the admin page.

Input: the state of the process, and the owner's commands. Output: messages to the owners, copies
of the database, figures. Public: ``incidents.Incidents``, ``broadcast.Broadcasts``,
``backups.Backups``, ``owners.Owners``, ``overview.Overview``, ``watch.Watch``,
``clock_keeper.ClockKeeper``, ``menu.Menu``, ``preflight.Finding``.
"""
