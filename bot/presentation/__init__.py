"""What people read: sentences in their language, captions, buttons, bars.

Pure but for the catalogues and the drawing library: the caller gives the time. Public:
``translation.Translator``, ``translation.translator_for``, ``html.Safe``, ``buttons.Buttons``,
``captions.caption``, ``notices.render``, ``charts.bars``.
"""
