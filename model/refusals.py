"""Values of a learner's fields that are refused with a reason of their own."""

LEAST_DIFFERENCE = 5e-4
MOST_DECAY = 50


def later_than_its_step(value: object) -> object:
    """A least delay other than 0, which a kernel could not keep to; ValueError says why."""
    if isinstance(value, int | float) and value == 0 and value is not False:
        raise ValueError(
            "got 0, expected at least one step, `dt`: no spike can arrive within the step that sent it, for "
            "a step is integrated from all that arrives in it; leave it out for one step"
        )
    return value


def no_autapses(value: bool) -> bool:
    """False: there are no self-connections; ValueError says why."""
    if value:
        raise ValueError(
            "got true, expected false: a self-connection without delay is but a reset of another size, and "
            "within the step that sent it no spike can arrive; leave it out"
        )
    return value


def taus_fault(tau_mem: float, tau_syn: float, dt: float, names: str) -> str | None:
    """What is wrong with two time constants and a step (ms), or None; `names` are those of the two."""
    if tau_mem == tau_syn:
        return f"{names} are both {tau_mem:g}; make them differ"
    if abs(tau_mem - tau_syn) < LEAST_DIFFERENCE * max(tau_mem, tau_syn):
        return (
            f"{names} are {tau_mem:g} and {tau_syn:g}; make them differ by 0.05 % at least, or the "
            "difference of their exponentials has no digits left"
        )
    if min(tau_mem, tau_syn) < dt / MOST_DECAY:
        return (
            f"{names}: got {min(tau_mem, tau_syn):g}, expected at least `dt` / {MOST_DECAY} = "
            f"{dt / MOST_DECAY:g}, so that a step's exponentials stay finite"
        )
    return None
