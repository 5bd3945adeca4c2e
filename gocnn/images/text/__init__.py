"""Text in scenes: drawing it on photographs with free fonts, finding it, and reading it."""
