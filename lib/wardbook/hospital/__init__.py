"""The hospital's own stays: the format of the extract, its reading, an invented one."""
