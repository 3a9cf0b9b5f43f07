"""What every page shares: who may open it, one transaction a request, error pages, headers, forms, words.

access.py   the marks that every route has, and who is asking          edge.py     one request, one transaction
errors.py   the fund's errors as pages                                  headers.py  what browsers are told to allow
forms.py    BaseForm and the fields                                     filters.py  money and time as people read them
words.py    English and Welsh                                           limits.py   how often somebody may try
assets.py   style sheets, scripts and pictures, built with names that change when they do

It knows no part of the fund: no application, no grant. Templates extend `base.html`; `components/*.html` are macros.
"""
