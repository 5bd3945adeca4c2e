"""Text in scenes: drawing it on photographs with free fonts, finding it, and reading it."""

SURE = 0.65  # words that are read with less confidence are left out, unless told otherwise
