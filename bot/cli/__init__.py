"""The command line, one file a command.

In: the settings and the words behind ``storybell``. Out: text for a terminal, and an exit
status. Public: ``commands.ALL``, ``setup.main``, ``demo.run_demo``.
"""
