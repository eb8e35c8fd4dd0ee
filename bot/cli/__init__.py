"""The command line, with a module for each command.

Input: the settings and the arguments of ``storybell``. Output: text for a terminal, and an exit
status. Public: ``execution.execute``, ``commands.ALL``, ``setup.main``, ``demo.run_demo``.
"""
