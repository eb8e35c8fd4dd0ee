"""Files of stories: from allowed hosts only, bounded, told by their bytes, on disk in flight.

In: the address of a photo or video. Out: a file in the spool, which is gone after its use.
Public: ``download.Media``, ``spool.Spool``, ``spool.MediaFile``, ``sniff.sniff``,
``urls.is_fresh``.
"""
