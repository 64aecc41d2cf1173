"""The OMOP Common Data Model 5.4 as this platform uses it: tables, codes, and views of them.

A view makes a dataset (`wardbook.datasets`) of the model's tables, written with Ibis once for every
engine: DuckDB, PostgreSQL, Spark, Oracle.
"""
