"""Values of a learner's fields that are refused with a reason of their own."""

LEAST_DIFFERENCE = 5e-4
MOST_DECAY = 50
MOST_STEPS = 2**31 - 1  # the kernels count steps in 32 bits


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


def whole_steps(duration: float | None, dt: float) -> int:
    """Steps of `dt` in a sample of `duration` (ms); ValueError if that is not set, or no legal number."""
    if duration is None:
        raise ValueError(
            "LearnerConfig: `duration` is not set; give it, or let a trainer take it from the data"
        )
    steps = round(min(duration / dt, 2.0 * MOST_STEPS))
    if steps > MOST_STEPS:
        raise ValueError(
            f"LearnerConfig: `duration`: got {duration:g}, expected at most {MOST_STEPS} steps of "
            f"`dt` = {dt:g}; take a longer step"
        )
    if steps < 1 or abs(steps * dt - duration) > 1e-6 * duration:
        raise ValueError(
            f"LearnerConfig: `duration`: got {duration:g}, expected a whole number of steps of `dt` = {dt:g}"
        )
    return steps
