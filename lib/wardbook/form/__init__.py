"""The requesters' form: a page per template that composes a ticket which the gate accepts."""
