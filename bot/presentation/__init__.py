"""Presentation: translated messages, captions, buttons, bars of text.

The code is pure except for loading the catalogues of translations. The caller passes the time.
Public: ``translation.Translator``, ``translation.translator_for``, ``html.Safe``,
``buttons.Buttons``, ``captions.caption``, ``notices.render``, ``charts.bars``.
"""
