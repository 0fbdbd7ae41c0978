import pickle

from service.errors import Fault, PolychronyError, SweepError, UserError


def test_a_user_error_prints_a_line_per_fault_and_survives_a_process_border() -> None:
    faults = (Fault("a.yaml:1", "name", "is missing"), Fault("a.yaml:3", "learner.dt", "got 0"))
    error = pickle.loads(pickle.dumps(UserError(faults)))
    assert str(error) == "a.yaml:1: name: is missing\na.yaml:3: learner.dt: got 0"
    assert error.faults == faults


def test_a_fault_is_one_printable_line_whatever_it_quotes() -> None:
    assert str(Fault("a.yaml:1", "na\nme", "got \x1b[2J\ud800")) == "a.yaml:1: na\\nme: got \\x1b[2J\\ud800"


def test_the_tree() -> None:
    assert issubclass(UserError, PolychronyError) and issubclass(SweepError, PolychronyError)
    assert not issubclass(UserError, SweepError)
