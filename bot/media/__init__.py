"""The download of story files from allowed hosts to the disk, with a size limit and a type check.

Input: the URL of a photo or video. Output: a file in the spool, a folder of limited size. Public:
``download.Media``, ``download.PublicResolver``, ``spool.Spool``, ``spool.MediaFile``,
``spool.write_stream``, ``sniff.detect_media_kind``, ``urls.is_unexpired`` and ``urls.expires_at``.
"""
