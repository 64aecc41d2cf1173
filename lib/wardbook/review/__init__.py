"""Review of what would leave: who decides, on which evidence, and what stands approved already.

Pure rules and the evidence page; the steps that act on them are `pipelines/steps/release.py`.
"""
