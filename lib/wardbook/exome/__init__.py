"""Variants of an exome panel and phenotypes: burden of a gene's variants, never one person's.

`panel` says which genes are read, `reading` who carries what counts, `firth` fits, `burden` counts
and tests by gene.
"""
