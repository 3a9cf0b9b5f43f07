"""What changes the tables of places: loading official files, and making neighbourhoods of their areas."""

from fund.neighbourhoods.actions.load import Loaded, in_loading_order, load_demo_facts, load_file
from fund.neighbourhoods.actions.open import (
    OpenedPlace,
    open_neighbourhood,
    open_neighbourhood_of_area,
    open_neighbourhoods_within_bounds,
)

__all__ = ["Loaded", "OpenedPlace", "in_loading_order", "load_demo_facts", "load_file", "open_neighbourhood",
           "open_neighbourhood_of_area", "open_neighbourhoods_within_bounds"]
