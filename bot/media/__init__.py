"""Files of stories: from allowed hosts only, bounded, told by their bytes, on disk in flight."""
