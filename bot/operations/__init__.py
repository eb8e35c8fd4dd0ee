"""What the operator needs: incidents, broadcasts, backups, clean-up, the admin page's figures.

In: how the parts of the process stand, and what an admin asks for. Out: messages to the admins,
copies of the database, figures. Public: ``incidents.Incidents``, ``broadcast.Broadcasts``,
``backups.Backups``, ``operators.Operators``, ``overview.Overview``, ``watch.Watch``,
``database_watch.DatabaseWatch``, ``clock_keeper.ClockKeeper``, ``menu.Menu``,
``preflight.Finding``.
"""
