"""A diagnosis aid from laboratory values: fitted, judged, watched, and let out as a table.

`analytes` says what a value is and in which units; `values` brings values to one unit or refuses
them; `splits` parts patients and time; `fitting` chooses and fits the models inside the training
data; `discrimination`, `calibration`, `decision` and `subgroups` judge them on later patients;
`drift` looks for changes; `release` writes the model as a document that holds nobody.
"""
