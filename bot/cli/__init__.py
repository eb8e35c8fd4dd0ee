"""The command line ``storybell``. Each command has a module.

Input: the settings and the arguments of ``storybell``. Output: text for a terminal, and an exit
status. Public: ``execution.execute``, ``commands.ALL``, ``setup.main``, ``demo.run_demo``.
"""
