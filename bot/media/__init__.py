"""The download of story files from allowed hosts to the disk, with a size limit and a type check.

Input: the URL of a photo or video. Output: a file in the spool, which is deleted after use.
Public: ``download.Media``, ``spool.Spool``, ``spool.MediaFile``, ``sniff.sniff``,
``urls.is_fresh``.
"""
