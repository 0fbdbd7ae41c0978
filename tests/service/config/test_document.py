"""Reading YAML: every fault has its file and line, and nothing but UserError is ever raised."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from service.config.document import Document, read
from service.config.faults import ConfigFault
from service.config.yaml_text import Parsed, Unreadable, write
from service.errors import UserError

Save = Callable[[str | bytes], Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def save(content: str | bytes) -> Path:
        path = tmp_path / "sweep.yaml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return save


UNREADABLE = [
    ("", 1, "is empty, expected keys and values such as `name: wiring`"),
    ("# only a comment\n", 1, "is empty"),
    ("- a\n- b\n", 1, "is ['a', 'b'], expected keys and values"),
    ("just text", 1, "is 'just text', expected"),
    ("a: 1\nb: [1, 2\nc: 3\n", 3, "is not YAML 1.2: while parsing a flow sequence"),
    ("a: 1\n  b: 2\n", 2, "is not YAML 1.2: mapping values are not allowed here"),
    ("a:\n\tb: 1\n", 2, "has a tab where YAML wants spaces; indent by spaces"),
    ("a: 1\n---\nb: 2\n", 2, "holds a second document after `---`; write one sweep a file"),
    ("a: 1\nb: *unknown\n", 2, "is not YAML 1.2: found undefined alias"),
    ("a: 1\nb: " + "[" * 30 + "]" * 30, 2, "is nested more than 20 deep"),
    ("a: " + "{a: " * 5000, 1, "is nested more than 20 deep"),
    (b"a: 1\nb: \xff\xfe\n", 2, "is not UTF-8 text; save it as UTF-8"),
    (b"\x89HDF\r\n\x1a\n" + bytes(range(256)), 1, "is not UTF-8 text"),
    ("a: 1\nb: \x00\n", 2, "is not YAML 1.2: "),
    ("a: " + "x" * 300_000, 1, "is larger than 256 KiB"),
]


@pytest.mark.parametrize(("content", "line", "message"), UNREADABLE)
def test_what_cannot_be_read_is_one_fault_with_its_line(
    save: Save, content: Any, line: Any, message: str
) -> None:
    path = save(content)
    with pytest.raises(UserError) as error:
        read(path)
    (fault,) = error.value.faults
    assert (fault.place, fault.field) == (f"{path}:{line}", "file")
    assert fault.message.startswith(message)


@pytest.mark.parametrize("name", ["missing.yaml", ".", "missing/sweep.yaml", "x" * 5000, "nul\0"])
def test_a_path_that_is_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=r":1: file: cannot be read \(.+\); give the path of a sweep file$"):
        read(tmp_path / name)


PARTLY_READABLE = [
    (
        "a: 1\nb: 2\na: 3\n",
        [ConfigFault(("a",), "is given twice, first on line 1; keep one", 3)],
        {"a": 1, "b": 2},
    ),
    (
        "a: {b: 1,\n b: 2}\n",
        [ConfigFault(("a", "b"), "is given twice, first on line 1; keep one", 2)],
        {"a": {"b": 1}},
    ),
    (
        "a: &x [1]\nb: *x\n",
        [
            ConfigFault(("a",), "has the anchor `&x`; leave it out and write values out"),
            ConfigFault(("b",), "repeats an earlier value by `*`; write the value out"),
        ],
        {"a": [1]},
    ),
    ("a: !new 1\nb: 1\n", [ConfigFault(("a",), "has the tag `!new`; leave it out")], {"b": 1}),
    ("a: !!set {b}\n", [ConfigFault(("a",), "has the tag `tag:yaml.org,2002:set`; leave it out")], {}),
    ("a: !!float x\n", [ConfigFault(("a",), "'x' is not a number or flag that can be used here")], {}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "found", "data"), PARTLY_READABLE)
def test_lesser_faults_leave_the_rest_readable(text: str, found: list[ConfigFault], data: Any) -> None:
    parsed = Parsed(text)
    assert parsed.faults == found
    assert parsed.data == data


@pytest.mark.parametrize("key", ["1", "true", "null", "[a]", "<<"])
def test_keys_are_text(key: str) -> None:
    parsed = Parsed(f"a: 1\n? {key}\n: {{c: 2}}\n")
    assert parsed.data == {"a": 1}
    (fault,) = parsed.faults
    assert (fault.where, fault.line) == ((), 2)
    assert "a key is not text" in fault.message


@pytest.mark.parametrize("number", ["9" * 5000, str(2**63), "-0x" + "f" * 17])
def test_whole_numbers_that_no_table_holds(number: str) -> None:
    assert "is not a number" in Parsed(f"a: {number}").faults[0].message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-5", 1e-5),
        ("1E3", 1000.0),
        ("-.5", -0.5),
        (str(2**63 - 1), 2**63 - 1),
        ("010", 10),
        ("yes", "yes"),
        ("True", True),
        ("~", None),
        ("2026-01-01", "2026-01-01"),
        ("'1'", "1"),
        ("12:30", "12:30"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: Any) -> None:
    parsed = Parsed(f"a: {text}")
    assert parsed.data == {"a": value} and type(parsed.data["a"]) is type(value)


def test_a_byte_order_mark_and_windows_line_ends_are_no_fault(save: Save) -> None:
    document = read(save(b"\xef\xbb\xbfa: 1\r\nb:\r\n  c: 2\r\n"))
    assert document.data == {"a": 1, "b": {"c": 2}}
    assert document.line_of(("b", "c")) == 3


def test_line_of_finds_the_nearest_value_around() -> None:
    text = "# comment\na: {b: 1,\n    c: [1,\n  2]}\nd:\n  - x\n  - y: 1\n    z: 2\n"
    document = Document("f", text)
    lines = {
        (): 1,
        ("a",): 2,
        ("a", "b"): 2,
        ("a", "c"): 3,
        ("a", "c", 1): 4,
        ("d", 0): 6,
        ("d", 1): 7,
        ("d", 1, "z"): 8,
        ("d", 1, "missing", "deeper"): 7,
        ("missing",): 1,
    }
    assert {where: document.line_of(where) for where in lines} == lines


TEXT = "a: 1\nlearner: {hidden: 64}\nspace:\n  learner.dt: {uniform: [1, 2]}\nlist: [{x: 1}]\n"


@pytest.mark.parametrize(
    ("option", "keys", "value"),
    [
        ("learner.hidden=8", ("learner", "hidden"), 8),
        ("learner.wiring_cost=1e-5", ("learner", "wiring_cost"), 1e-5),
        ("stopping.rule=asha", ("stopping", "rule"), "asha"),
        ("space.learner.dt={log: [1, 3]}", ("space", "learner.dt"), {"log": [1, 3]}),
        ("space.learner.dt.uniform.1=5", ("space", "learner.dt", "uniform", 1), 5),
        ("space.learner.dt.when.learner.dt=1", ("space", "learner.dt", "when", "learner.dt"), 1),
        ("list.0.x=[1, 2]", ("list", 0, "x"), [1, 2]),
        ("name=a=b", ("name",), "a=b"),
        ("a=", ("a",), None),
    ],
)  # fmt: skip
def test_an_override_sets_one_value_and_takes_the_blame_for_it(
    option: str, keys: tuple[Any, ...], value: Any
) -> None:
    document, untouched = Document("f", TEXT), Document("f", TEXT).data
    document.override(option)
    inside = document.data
    for key in keys:
        inside = inside[key]
    assert inside == value
    assert set(document.data) >= set(untouched)
    (fault,) = document.error([ConfigFault(keys, "wrong")]).faults
    assert fault.place == f"--set {option}"
    assert document.faults == []


@pytest.mark.parametrize(
    ("option", "line"),
    [
        ("foo", "--set foo: foo: expected PATH=VALUE, such as learner.hidden=64"),
        ("learner..x=1", "--set learner..x=1: learner..x: expected PATH=VALUE, such as learner.hidden=64"),
        ("a.b=1", "--set a.b=1: a.b: `a` is 1, which has nothing inside to set"),
        ("list.1.x=1", "--set list.1.x=1: list.1.x: `list` is a list of 1; name an item by its place from 0"),
        ("list.x=1", "--set list.x=1: list.x: `list` is a list of 1; name an item by its place from 0"),
        ("a={b: 1, b: 2}", "--set a={b: 1, b: 2}: a: is given twice, first on line 1; keep one"),
        ("a=!x 1", "--set a=!x 1: a: has the tag `!x`; leave it out"),
        ("a=1\n---\n", "--set a=1\\n---\\n: a: holds a second document after `---`; write one sweep a file"),
    ],
)  # fmt: skip
def test_faulty_overrides_change_nothing(option: str, line: Any) -> None:
    document = Document("f", TEXT)
    document.override(option)
    assert str(document.error(document.faults)) == line
    assert document.data == Document("f", TEXT).data


def test_an_override_does_not_nest_without_end() -> None:
    document = Document("f", TEXT)
    document.override(".".join("x" * 10_000) + "=1")
    assert document.data == Document("f", TEXT).data
    assert document.faults[0].message.startswith("expected PATH=VALUE")


def test_faults_of_the_file_come_first_by_line_and_then_the_options_in_order() -> None:
    document = Document("f", TEXT)
    for option in ("z=1", "a=2", "bad"):
        document.override(option)
    found = [
        ConfigFault(("z",), "p"),
        ConfigFault(("list", 0), "q"),
        ConfigFault(("a",), "r"),
        ConfigFault(("learner",), "s"),
        ConfigFault((), "t"),
    ]
    assert str(document.error(document.faults + found)).splitlines() == [
        "f:1: file: t",
        "f:2: learner: s",
        "f:5: list.0: q",
        "--set z=1: z: p",
        "--set a=2: a: r",
        "--set bad: bad: expected PATH=VALUE, such as learner.hidden=64",
    ]


def test_a_fault_is_short_whatever_was_given() -> None:
    text = str(Document("f", TEXT).error([ConfigFault(("x" * 10**5,), "y" * 10**5)]))
    assert len(text) < 2000


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters())
    | st.sampled_from(["null", "1", "1e5", "~", "yes", "2026-01-01", "- a", "a: b", "#", "x " * 200])
)
keys = st.text("abxyz_.", min_size=1, max_size=8).filter(lambda key: not key.startswith("."))
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.dictionaries(keys, trees, min_size=1, max_size=4))
def test_what_is_written_reads_back(data: Any) -> None:
    for reader in (Parsed, YAML(typ="safe", pure=True).load):
        got = reader(write(data))
        assert (got.data if isinstance(got, Parsed) else got) == data


@settings(deadline=None)
@given(st.text() | st.text("ab:-[]{}#&*!|>'\"%@`,? \n\t0123.e<=~\r", max_size=60))
def test_garbage_is_unreadable_at_worst(text: str) -> None:
    lines = (
        text.count("\n") + text.count("\r") + text.count("\x85") + text.count("\u2028") + text.count("\u2029")
    )
    try:
        Parsed(text)
    except Unreadable as error:
        assert 1 <= error.line <= lines + 2


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_bytes_are_a_user_error_at_worst(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / "sweep.yaml"
    path.write_bytes(raw)
    try:
        read(path)
    except UserError as error:
        assert len(error.faults) == 1


@settings(deadline=None)
@given(st.text(max_size=30), st.text("a.b=01 space.learner", max_size=30))
def test_options_never_raise(first: str, second: str) -> None:
    document = Document("f", TEXT)
    for option in (first, second, f"list.0.{second}", f"learner.{first}"):
        document.override(option)
    document.error([*document.faults, ConfigFault((), "x")])
