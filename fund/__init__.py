"""The Levelling Up Communities Fund: an endowment, residents who decide, staged grants, a ledger anyone can check."""
