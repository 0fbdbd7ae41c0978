import pyarrow as pa
import pytest

from search.domains import Choice, Int, Uniform, Value
from search.space import Field, Space
from service.config.metrics import METRICS
from service.config.model_fields import PATHS
from service.record.columns import Converter
from service.record.schema import TABLES, column_of, make_schemas, searched_columns, values_of


def test_tables_have_the_columns_of_the_contract() -> None:
    schemas = make_schemas(
        {"wiring_cost": pa.float64(), "embedding": pa.string()}, ["modularity", "sparsity"]
    )
    assert tuple(schemas) == TABLES
    assert schemas["trials"].names[:10] == [
        *("trial", "state", "reason", "duplicate_of", "parent", "move", "replicates", "epochs"),
        *("wiring_cost", "embedding"),
    ]
    assert schemas["epochs"].names == ["trial", "replicate", "epoch", *METRICS]
    assert schemas["topology"].names == ["trial", "replicate", "epoch", "modularity", "sparsity"]
    assert schemas["synapses"].names == ["trial", "replicate", "pre", "post", "weight", "delay"]
    assert schemas["neurons"].names == [
        *("trial", "replicate", "epoch", "neuron", "neuron_id", "layer", "position"),
        *("radius", "rate", "preferred_class", "selectivity", "preferred_time", "preferred_channel"),
        *("field_centroid", "field_width", "input_centroid", "input_width", "module"),
        "excitatory",
        *("adaptation", "tau_adaptation", "tau_mem", "tau_syn"),
    ]
    for name in METRICS:
        assert {name, f"{name}_sem"} <= set(schemas["trials"].names)


def test_every_column_says_what_it_holds() -> None:
    for schema in make_schemas({"hidden": pa.int64()}, ["modularity"]).values():
        assert all(field.metadata[b"description"] for field in schema)
        assert len(set(schema.names)) == len(schema.names)


@pytest.mark.parametrize("path", [*PATHS, "learner.accuracy", "data.loss_sem"])
def test_a_searched_field_has_a_column_of_its_own(path: str) -> None:
    column = column_of(path)
    if path == "learner.replicates":
        assert column == "replicates"  # the column of that name holds the searched value
    else:
        assert column not in make_schemas()["trials"].names
        assert column in (path.rpartition(".")[2], path.replace(".", "_"))


def test_values_come_back_from_their_row() -> None:
    mixed = Choice((1, 2.5, None))
    space = Space(
        [
            Field("learner.embedding", Choice(("space", "none"))),
            Field("learner.delay_scale", Uniform(2, 60), {"learner.embedding": "space"}),
            Field("learner.min_delay", mixed, {"learner.embedding": "space"}),
            Field("learner.epochs", Int(1, 9)),
        ]
    )
    columns = searched_columns(space)
    schema = make_schemas(columns)["trials"]
    cases: list[dict[str, Value]] = [
        {"learner.embedding": "space", "learner.delay_scale": 5.0, "learner.min_delay": 1},
        {"learner.embedding": "space", "learner.delay_scale": 5.0, "learner.min_delay": None},
        {"learner.embedding": "none"},
    ]
    for values in cases:
        given: dict[str, Value] = {**values, "learner.epochs": 3}
        row = {"trial": 0, "state": "complete"} | {column_of(path): v for path, v in given.items()}
        stored = Converter(schema).from_rows([row]).to_pylist()[0]
        assert values_of(stored, space) == given
        assert [type(v) for v in values_of(stored, space).values()] == [
            type(given[path]) for path in values_of(stored, space)
        ]
