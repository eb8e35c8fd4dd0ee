"""What the owner needs: incidents, broadcasts, backups, clean-up, the admin page's figures.

In: how the parts of the process stand, and what an owner asks for. Out: messages to the owners,
copies of the database, figures. Public: ``incidents.Incidents``, ``broadcast.Broadcasts``,
``backups.Backups``, ``owners.Owners``, ``overview.Overview``, ``watch.Watch``,
``clock_keeper.ClockKeeper``, ``menu.Menu``,
``preflight.Finding``.
"""
