"""Presentation: translated messages, captions, buttons, bars of text.

The package is pure except for the catalogues; the caller passes the time. Public:
``translation.Translator``, ``translation.translator_for``, ``html.Safe``, ``buttons.Buttons``,
``captions.caption``, ``notices.render``, ``charts.bars``.
"""
