"""Is my place in? A postcode's neighbourhood, its need, what is set aside for it and what is open now; no account."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from fund.allocations import queries as allocations
from fund.kernel.errors import BadInput, NotFound
from fund.neighbourhoods import queries as places
from fund.neighbourhoods import rules
from fund.neighbourhoods.rules import IN_FORCE, Place
from fund.portal.views.blueprint import blueprint
from fund.rounds import queries as rounds
from fund.web import access
from fund.web.templates import page_of_facts

LONGEST = 40


@blueprint.get("/places")
@access.public
def places_page() -> str | tuple[str, int]:
    """Ask for a postcode; with one, answer it. What was typed stays in the box when it cannot be answered."""
    typed = request.args.get("postcode")
    if typed is None:
        return render_template("portal/places.html", typed="", problem="", unknown="")
    try:
        place = places.place_of_postcode(typed)
    except BadInput as error:
        return render_template("portal/places.html", typed=typed[:LONGEST], problem=str(error), unknown=""), 422
    except NotFound:
        return render_template("portal/places.html", typed=typed[:LONGEST], problem="",
                               unknown=rules.normal_postcode(typed)), 404
    return _in_scope(place) if place.neighbourhood is not None else _not_in_scope(place)


def _in_scope(place: Place) -> str:
    assert place.neighbourhood is not None  # noqa: S101  for the type checker; the caller asked
    return page_of_facts("portal/place.html", place=place, bounds=IN_FORCE,
                         money=allocations.set_aside(place.neighbourhood.id),
                         rounds=tuple(rounds.open_rounds(place.neighbourhood.id)))


def _not_in_scope(place: Place) -> str:
    return render_template("portal/place_not_in.html", place=place, bounds=IN_FORCE,
                           reasons=rules.reasons_not_in_scope(place), near=places.neighbourhoods(place.district_name))


@blueprint.get("/neighbourhoods/<slug>")
@access.public
def neighbourhood(slug: str) -> str:
    """One neighbourhood: its shape, its money, what is open, and the need of each of its small areas."""
    found = places.neighbourhood_by_slug(slug)
    areas = places.small_areas(found.id)
    return render_template("portal/neighbourhood.html", here=found, areas=areas,
                           worst={area.code for area in areas if area.is_doubly_disadvantaged()},
                           frame=rules.frame_around([area.frame for area in areas if area.frame]),
                           money=allocations.set_aside(found.id), rounds=rounds.open_rounds(found.id),
                           years=allocations.years_of(found.id), datasets=places.datasets_of(IN_FORCE))


@blueprint.get("/neighbourhoods")
@access.public
def neighbourhoods() -> str | Response:
    """Every neighbourhood by name, or those that a search finds; paged by key."""
    words = request.args.get("words", "")[:LONGEST]
    if rules.is_postcode(words):
        return redirect(url_for(".places_page", postcode=words))
    found = places.neighbourhoods(words, after=request.args.get("after"), most=places.MOST_FOUND + 1)
    shown = found[:places.MOST_FOUND]
    return render_template("neighbourhoods/list.html", words=words, found=shown,
                           money=allocations.set_aside_for([one.id for one in shown]),
                           after=shown[-1].slug if len(found) > len(shown) else None)
