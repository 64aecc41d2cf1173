"""The readers, one file for each family of forms: `read(content, notes)` fills the notes."""
