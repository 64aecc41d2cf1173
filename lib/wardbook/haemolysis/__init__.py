"""Haemolysed blood tubes: where they come from, what they share, and since when.

`tubes` sorts what cannot be true from what is counted, `design` and `mixed` make the regression,
`avoidable` says how many tubes would not be haemolysed otherwise, `funnel` compares wards, `chart`
follows each by week, `counts` makes the tables that leave, `figures` draws them.
"""
