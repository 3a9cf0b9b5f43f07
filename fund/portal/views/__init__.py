"""The public pages that belong to no other part, because they read from several."""

from fund.portal.views import flow, named, places, standing, trail
from fund.portal.views.blueprint import blueprint

__all__ = ["blueprint", "flow", "named", "places", "standing", "trail"]
