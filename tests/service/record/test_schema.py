import pyarrow as pa
import pytest

from service.record.schema import TABLES, make_schemas
from service.spec.metrics import METRICS


def test_tables_have_the_columns_of_the_contract() -> None:
    schemas = make_schemas(
        {"wiring_cost": pa.float64(), "embedding": pa.string()}, ["modularity", "sparsity"]
    )
    assert tuple(schemas) == TABLES
    assert schemas["trials"].names[:9] == [
        *("trial", "state", "reason", "parent", "move", "replicates", "epochs"),
        *("wiring_cost", "embedding"),
    ]
    assert schemas["epochs"].names == ["trial", "replicate", "epoch", *METRICS]
    assert schemas["topology"].names == ["trial", "replicate", "epoch", "modularity", "sparsity"]
    assert schemas["synapses"].names == ["trial", "replicate", "pre", "post", "weight", "delay"]
    assert schemas["neurons"].names == [
        *("trial", "replicate", "epoch", "neuron", "position"),
        *("rate", "preferred_class", "selectivity", "module"),
    ]
    for name in METRICS:
        assert {name, f"{name}_sem"} <= set(schemas["trials"].names)


def test_every_column_says_what_it_holds() -> None:
    for schema in make_schemas({"hidden": pa.int64()}, ["modularity"]).values():
        assert all(field.metadata[b"description"] for field in schema)
        assert len(set(schema.names)) == len(schema.names)


def test_searched_field_may_not_take_a_column() -> None:
    with pytest.raises(ValueError, match="searched field `seed` would take the name of a column of `trials`"):
        make_schemas({"seed": pa.int64()})


def test_epochs_and_replicates_may_be_searched() -> None:
    assert make_schemas({"epochs": pa.int64()})["trials"].names == make_schemas()["trials"].names
