"""Text in scenes: drawing it on photographs with free fonts, finding it, and reading it."""

SURE = 0.68  # words that detector and recogniser together are less sure of are left out, unless told otherwise
