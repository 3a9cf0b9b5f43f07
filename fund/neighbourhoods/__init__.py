"""neighbourhoods."""
