"""Values of a learner's fields that are refused with a reason of their own."""


def later_than_its_step(value: object) -> object:
    """A least delay that is not 0, which kernels could not keep to; ValueError says why."""
    if isinstance(value, int | float) and value == 0 and value is not False:
        raise ValueError(
            "got 0, expected at least one step, `dt`: no spike can arrive within the step that sent it, for "
            "a step is integrated from all that arrives in it; leave it out for one step"
        )
    return value


def no_autapses(value: bool) -> bool:
    """False, for there are no self-connections; ValueError says why."""
    if value:
        raise ValueError(
            "got true, expected false: a self-connection without delay is but a reset of another size, and "
            "within the step that sent it no spike can arrive; leave it out"
        )
    return value
