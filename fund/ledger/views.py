"""Pages of the part `ledger`."""

from flask import Blueprint

blueprint = Blueprint("ledger", __name__)
