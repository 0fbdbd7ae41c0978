"""What goes with an archive or with generations, whose trials are bred one by one."""

from collections.abc import Mapping
from typing import Any

from model.fields import no_such
from model.topology.names import NULL_MEASURES
from search.evolution.options import ArchiveOptions, EvolutionOptions
from service.config.faults import ConfigFault, Where
from service.config.field_types import GUIDES
from service.config.metrics import TEST_METRICS
from service.config.sections import SearchSpec

GENETIC = ("nsga2", "nsga3")
"""The samplers that select parents."""
_ARCHIVE: Where = ("search", "evolution", "archive")
OF_MEMBERS = ("exploit", "grace")
"""Options that only a population that trains together has a use for."""


def check_breeding(search: SearchSpec, evolution: EvolutionOptions, faults: list[ConfigFault]) -> None:
    """Options that mean something else, or nothing, where trials are bred one by one."""
    where = ("search", "evolution")
    if evolution.generations and evolution.archive is not None:
        fault = "parents are either those of a generation or the elites of an archive; keep one of the two"
        faults.append(ConfigFault((*where, "generations"), fault))
    faults += [
        ConfigFault((*where, name), "compares members that train together, and these do not; leave it out")
        for name in OF_MEMBERS
        if getattr(evolution, name) != getattr(EvolutionOptions(), name)
    ]
    if not evolution.inherits and any(vars(evolution.moves).values()):
        fault = (
            "changes trained networks, and children inherit none; leave it out, and search "
            "`learner.dimensions` and `learner.hidden` under `space`"
        )
        faults.append(ConfigFault((*where, "moves"), fault))
    if evolution.generations and search.sampler not in GENETIC:
        fault = f"{search.sampler} selects no parents for a generation; take {' or '.join(GENETIC)}"
        faults.append(ConfigFault(("search", "sampler"), fault))
    elif evolution.generations:
        said = {"population": "evolution.population", "mutation": "evolution.explore.resample"}
        faults += [
            ConfigFault(("search", name), f"is `{path}` where children inherit; leave it out")
            for name, path in said.items()
            if getattr(search, name) is not None
        ]


def check_archive(
    archive: ArchiveOptions | None, sections: Mapping[str, Any], faults: list[ConfigFault]
) -> None:
    """An archive has one objective, and measures that there are; its elites have more seeds, not leaders."""
    if archive is None:
        return
    objectives = sections["objectives"] or ()
    if sections["replicates"]:
        fault = (
            "leading trials are the elites here; leave it out, and set `search.evolution.archive.remeasure`"
        )
        faults.append(ConfigFault(("replicates",), fault))
    if len(objectives) > 1:
        fault = f"an elite is the best of its cell by a single objective, got {len(objectives)}; keep one"
        faults.append(ConfigFault(_ARCHIVE, fault))
    for name in archive.measures:
        if name in TEST_METRICS:
            fault = "is measured when all is over and must not guide the search; use another"
        elif name not in {*GUIDES, *NULL_MEASURES}:
            fault = no_such("measure", name, GUIDES)
        else:
            continue
        faults.append(ConfigFault((*_ARCHIVE, "measures", name), fault))


def archive_measures(sections: Mapping[str, Any]) -> list[tuple[Where, str]]:
    """The measures of an archive, with their places; none without one."""
    evolution = sections["search"] and sections["search"].evolution
    archive = evolution and evolution.archive
    return [((*_ARCHIVE, "measures", name), name) for name in archive.measures] if archive else []
