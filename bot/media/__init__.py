"""The download of story files from allowed hosts to the disk, with a size limit and a type check.

The input of the package is the URL of a photo or video. The output is a file in the spool, which
is a folder of limited size. The file is deleted after use. Public: ``download.Media``,
``download.PublicResolver``, ``spool.Spool``, ``spool.MediaFile``, ``spool.write_stream``,
``sniff.detect_media_kind``, ``urls.is_unexpired`` and ``urls.expires_at``.
"""
