"""Which trained networks a sweep keeps: those of its leading trials, so that its folder stays bounded."""

from service.config.sweep import SweepSpec
from service.record.elites import archive_options, elites_of
from service.record.leaders import leaders
from service.record.record import Record
from service.storage.layout import LAST_STILL, network_file, pictures_folder, trials_with_networks
from service.storage.paths import StoragePath


class NetworkRetention:
    """The networks of one sweep, of which up to `record.networks` stay, and those of an archive's elites.

    Trials are ranked as by the search, so that those ended early go first. Networks of which the pictures are
    not drawn yet are kept until they are.
    """

    def __init__(self, spec: SweepSpec, folder: StoragePath, record: Record) -> None:
        self._spec, self._folder, self._record = spec, folder, record
        self._limit = spec.record.networks
        self._since = 0

    def finished(self) -> None:
        """A trial is over. To rank all of them takes time, so that a quarter more than wanted may gather."""
        self._since += 1
        if self._since > self._limit // 4:
            self.trim()

    def trim(self) -> None:
        """Remove the networks of all but the leading trials, if there are more of them than wanted."""
        self._since = 0
        kept = self._record.finished_trials().keys() & trials_with_networks(self._folder)
        if len(kept) <= self._limit:
            return
        spec, rows = self._spec, self._record.rows("trials").to_pylist()
        best = {row["trial"] for row in leaders(rows, spec.objectives, spec.constraints, self._limit)}
        archive = archive_options(spec)
        if archive is not None:  # the best of a cell need not be among the best of all
            best |= {one.trial for one in elites_of(spec, archive, rows).values()}
        for trial in kept - best:
            if (pictures_folder(self._folder, trial) / LAST_STILL).is_file():
                network_file(self._folder, trial).unlink(missing_ok=True)
