"""Pages of the endowment: for anybody (public.py), and those of trustees, who choose, plan and set (trustees.py)."""

from flask import Blueprint

blueprint = Blueprint("endowment", __name__)

from fund.endowment.views import public, trustees  # noqa: E402, F401  they hang their routes on the blueprint
