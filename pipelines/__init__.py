"""A request's way from ticket to deliverable. Start reading at `story.py`."""
