"""Pages of grants: a group's own (group.py), and those of officers and approvers (staff.py)."""

from flask import Blueprint

blueprint = Blueprint("grants", __name__)

from fund.grants.views import group, staff  # noqa: E402, F401  they hang their routes on the blueprint
