"""A report of a stack: one page that needs no network, or a notebook. Launches and ends nothing.

`collect` finds what is reported, `page` makes HTML of it, `notebook` a Jupyter notebook, `server` shows the page while
runs go on. Altair and vl-convert are met in `charts` alone, nbformat in `notebook` alone.
"""
