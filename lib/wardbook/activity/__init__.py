"""What wards and the laboratory do day by day: reading of exports, indicators, figures.

`stays`, `emergency` and `laboratory` read the exports strictly and count what is odd in them;
`presence`, `movements`, `visits` and `tests` compute the indicators; `figures` draws them;
`synthetic` writes invented exports with planted truth.
"""
