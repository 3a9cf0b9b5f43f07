"""What changes the tables of places: loading official files, and making neighbourhoods of their areas."""

from fund.neighbourhoods.actions.load import Loaded, load_demo_facts, load_file
from fund.neighbourhoods.actions.open import open_neighbourhood, open_neighbourhoods_within_bounds

__all__ = ["Loaded", "load_demo_facts", "load_file", "open_neighbourhood", "open_neighbourhoods_within_bounds"]
