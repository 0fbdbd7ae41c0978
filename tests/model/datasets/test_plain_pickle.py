import base64
import copyreg
import os
import pickle
import sys
import zlib
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.datasets.plain_pickle import read_plain_pickle
from model.datasets.ragged import DataError

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
# A table like TABLE, pickled by pandas 1.5.3 with numpy 1.26, compressed.
PANDAS_1_5 = (
    "eNptUktvEzEQzubR8hKlQkC5cIBLOJAzh0oRbUUEK4IUzpE1u5lmV/V6V7aXEqmV4EBoJd86HOAf8BP4dTD2JqIF7NV41p755pvH"
    "x+7XJ51WWG67AjUDM0hLjYNDDQWSu34AFl4G/YKefqJT6ruuKOaa3KPL5rmyqBVIMyhAwRy1IXdrT5bp0Zvmn93d/ZWHkHli/riQ"
    "2xK1qvL0SKJIvI83vqfqolo06EUtbQ5aw4JRhca0VMbqOrXesBcMyW0ydjC5oLj1mfajhL7QhPpxxLu9pGzL9WZ2UflMXDt/Tudn"
    "zXvHRbs0Ho9f/+IVRNyylJzv32mtVrQ6ia/dtaTOmY5i3j0j89Tj+Qhx5OHitpfZzex2tu1pZHfXJNqBxI5rv70S+uSv0EMfespl"
    "jl5wgHcVcIAp7z5/o+G3sL6Phj8aBaeEsHqe0mj4s7kGBGSc7HHcirsNpUYuvanbudq6GX5AM0jAcMNvCIXH4pW/47yyPddb66H1"
    "Mx4H+je3Dv88C6w3JFruKwNprNDmNi8VuQ18j8oa8qRcV/lxGtdLX6gD9/B/ZDSouWcz8eclBtlkzFW3oC032XWNLSvOzCvIShQw"
    "0QueUu41D7BnvB5mUaCFkMKUawvW8pieMjtxKGEe1AcgZXlsxKyuuLVgUUhIkGf0zNTJ4DfVRUH2"
)
TABLE = {"letter": ["A", "Space"], "repetition": [0, 1], "events": [[[[0.025, 0.05], []]], [[[], [0.1]]]]}

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
plain = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner)
)


def written(folder: Path, content: bytes) -> Path:
    path = folder / "data.pkl"
    path.write_bytes(content)
    return path


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plain, st.sampled_from(PROTOCOLS))
def test_plain_data_come_back(tmp_path: Path, data: Any, protocol: int) -> None:
    assert read_plain_pickle(written(tmp_path, pickle.dumps(data, protocol))) == data


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("dtype", ["?", "i1", "<u2", ">i4", "f2", "<f8", ">f4", "U3", "S2", "O"])
def test_arrays_come_back(tmp_path: Path, dtype: str, protocol: int) -> None:
    for array in (np.arange(6).reshape(2, 3).astype(dtype), np.empty(0, dtype)):
        for one in (array, array.T, np.asfortranarray(array)):
            found = read_plain_pickle(written(tmp_path, pickle.dumps([one], protocol)))[0]
            assert np.asarray(found).tolist() == one.tolist()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_numbers_of_numpy_become_plain(tmp_path: Path, protocol: int) -> None:
    numbers = [np.float64(0.1), np.int32(-3), np.bool_(True)]
    found = read_plain_pickle(written(tmp_path, pickle.dumps(numbers, protocol)))
    assert found == [0.1, -3, True] and [type(one) for one in found] == [float, int, bool]


def test_a_table_that_pandas_1_5_has_written(tmp_path: Path) -> None:
    content = zlib.decompress(base64.b64decode(PANDAS_1_5))
    assert read_plain_pickle(written(tmp_path, content)) == TABLE


class _State:
    """Pickled as pandas does with objects that have a state."""

    state: Any = None

    def __reduce__(self) -> Any:
        return copyreg.__newobj__, (type(self),), self.state  # type: ignore[attr-defined]


def old_table(monkeypatch: pytest.MonkeyPatch, release: str) -> bytes:
    """TABLE as pandas 1.2 or 1.3 pickles it, by stand-ins under their names."""
    names = {
        "pandas.core.frame": ("DataFrame",),
        "pandas.core.internals.managers": ("BlockManager",),
        "pandas.core.internals.blocks": ("new_block",),
        "pandas.core.indexes.base": ("Index", "_new_Index"),
    }
    known: dict[str, Any] = {}
    with monkeypatch.context() as patch:
        for module, members in names.items():
            fake = ModuleType(module)
            for name in members:
                known[name] = type(name, (_State,), {"__module__": module, "__qualname__": name})
                setattr(fake, name, known[name])
            patch.setitem(sys.modules, module, fake)

        class Call:
            def __init__(self, *call: Any) -> None:
                self.call = call

            def __reduce__(self) -> Any:
                return self.call

        index = Call(
            known["_new_Index"], (known["Index"], {"data": np.array([*TABLE], dtype=object), "name": None})
        )
        objects = np.empty((2, 2), dtype=object)
        objects[0, :], objects[1, :] = TABLE["letter"], TABLE["events"]
        parts = [(objects, slice(0, 4, 2)), (np.array([TABLE["repetition"]]), np.array([1]))]
        manager: Any = known["BlockManager"]()
        if release == "1.2":
            content = {"axes": [index, None], "blocks": [{"values": v, "mgr_locs": w} for v, w in parts]}
            manager.state = ([index, None], [], [], {"0.14.1": content})
        else:
            make = partial(known["new_block"], ndim=2)
            blocks = tuple(Call(make, part) for part in parts)
            manager = Call(known["BlockManager"], (blocks, [index, None]))
        frame = known["DataFrame"]()
        frame.state = {"_mgr": manager, "_typ": "dataframe", "_metadata": [], "attrs": {}}
        return pickle.dumps(frame, 4)


@pytest.mark.parametrize("release", ["1.2", "1.3"])
def test_tables_of_older_releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, release: str) -> None:
    names = ["letter", "repetition", "events"]
    assert list(TABLE) == names  # columns 0 and 2 are of objects
    assert read_plain_pickle(written(tmp_path, old_table(monkeypatch, release))) == TABLE


class Evil:
    """Calls `function` with `arguments` when it is unpickled."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_pickle_that_runs_something_is_refused_before_it_does(tmp_path: Path, protocol: int) -> None:
    victim = tmp_path / "victim"
    content = pickle.dumps({"letter": ["A"], "events": Evil(os.mkdir, str(victim))}, protocol)
    pickle.loads(content)
    assert victim.exists()  # the pickle would do it
    victim.rmdir()
    with pytest.raises(DataError, match=r"data\.pkl: refused: names `(posix|nt)\.mkdir`, which is not plain"):
        read_plain_pickle(written(tmp_path, content))
    assert not victim.exists()


@pytest.mark.parametrize(
    ("thing", "named"),
    [
        (Evil(eval, "1"), r"builtins\.eval"),
        (Evil(getattr, "a", "upper"), r"builtins\.getattr"),
        (print, r"builtins\.print"),
        (Path("a"), "pathlib"),
        (pd.DataFrame({"letter": ["A"]}), r"pandas\.DataFrame"),
        (np.random.default_rng(0), r"numpy\.random"),
    ],
)
def test_what_is_named_in_the_error(tmp_path: Path, thing: Any, named: str) -> None:
    with pytest.raises(DataError, match=rf"names `{named}"):
        read_plain_pickle(written(tmp_path, pickle.dumps([thing])))


def test_arrays_of_records_are_refused(tmp_path: Path) -> None:
    """Their bytes can be taken for addresses."""
    records = np.zeros(2, dtype=[("a", "f4")])
    for thing in (records, np.zeros(2, "M8[s]"), records.dtype, np.ndarray, slice(1)):
        with pytest.raises(DataError, match=r"refused: holds a"):
            read_plain_pickle(written(tmp_path, pickle.dumps([thing])))


def test_classes_cannot_be_changed_from_within(tmp_path: Path) -> None:
    stand_in = b"cnumpy\ndtype\n"
    for state in (b"(dS'args'\nI1\ns", b"(N(dS'args'\nI1\nst"):
        with pytest.raises(DataError, match="refused"):
            read_plain_pickle(written(tmp_path, stand_in + state + b"b."))
    assert read_plain_pickle(written(tmp_path, pickle.dumps(np.arange(2)))).tolist() == [0, 1]


def test_what_is_damaged_is_refused(tmp_path: Path) -> None:
    whole = pickle.dumps([np.arange(100), "text"])
    endless: list[Any] = []
    endless.append(endless)
    wrong_shape = pickle.dumps(np.arange(4)).replace(b"K\x04\x85", b"K\x05\x85")
    for content in (b"", b"text", whole[:-20], pickle.dumps(endless), wrong_shape, b"Pid\n."):
        with pytest.raises(DataError, match=r"data\.pkl: refused: "):
            read_plain_pickle(written(tmp_path, content))
    with pytest.raises(DataError, match=r"nowhere\.pkl: cannot be read"):
        read_plain_pickle(tmp_path / "nowhere.pkl")
