"""The presentation of data to people: translated messages, captions, buttons and bar charts.

Functions that need the current time get the time as an argument. Public:
``translation.Translator``, ``translation.translator_for``, ``html.Safe``, ``actions.Buttons``,
``captions.caption``, ``notices.notice_messages``, ``charts.bar_chart`` and ``cities.zone_named``.
"""
