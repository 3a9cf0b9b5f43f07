"""Places: which neighbourhood a postcode lies in, how great its need is, and whether the fund's rule covers it.

Words: *neighbourhood* (a named, versioned set of official areas with a panel), *area* (an official ward or district),
*LSOA* (a small official area in which need is measured), *dataset* (one official file, pinned by version and hash),
*bounds* (the versioned rule that says which places the fund is for). It knows no money, no people and no rounds, and
never ranks one place against another.
"""
