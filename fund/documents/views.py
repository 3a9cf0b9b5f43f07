"""Pages of the part `documents`."""

from flask import Blueprint

blueprint = Blueprint("documents", __name__)
