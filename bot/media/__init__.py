"""Downloads of story files: allowed hosts only, size-limited, typed by content, stored on disk.

Input: the URL of a photo or video. Output: a file in the spool, which is deleted after use.
Public: ``download.Media``, ``spool.Spool``, ``spool.MediaFile``, ``sniff.sniff``,
``urls.is_fresh``.
"""
