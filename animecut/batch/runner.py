"""Jobs -> stickers, each made once, whatever was interrupted; what fails is told and stops nothing else."""

import os
import time
from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import asdict, dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import Protocol

from animecut._util.paths import LONGEST_NAME, fits
from animecut._util.progress import Progress
from animecut.batch.jobs import Job
from animecut.batch.locks import OutputLocks
from animecut.batch.manifest import in_columns
from animecut.batch.run_log import Record, RunLog, output_digest, source_fingerprint
from animecut.encode import preview
from animecut.errors import AnimecutError, NoRoom, OutputError, SettingsError, reason_of
from animecut.pipeline import cut
from animecut.results import Result
from animecut.types import Segment

PAUSE = 0.2  # seconds between two looks at what another run is making


@dataclass(frozen=True)
class JobResult:
    """How a job went. problem: one line where it failed. before: the report's line where an earlier run had done it.

    digests: of the outputs, or none where they could not be read again.
    """

    job: Job
    report: Result = field(default_factory=Result)
    seconds: float = 0.0
    device: str = ""
    problem: str | None = None
    source: Record | None = None
    digests: tuple[str, ...] = ()
    tries: int = 1
    before: Record | None = None

    def as_json(self) -> Record:
        """What can be written as JSON: one object of --json, and of the report."""
        if self.before:
            return self.before
        outputs = [
            asdict(output.written)
            | {"path": str(output.written.path), "platform": output.platform, "sha256": sha256}
            | {"valid": not output.problems, "problems": output.problems, "given_up": output.given_up}
            | {"ssim": output.ssim}
            for output, sha256 in zip_longest(self.report.outputs, self.digests)
        ]
        seconds = self.report.seconds | {"total": self.seconds}
        return {
            "input": str(self.job.source),
            "source": self.source,
            "made_with": self.job.recipe or None,
            "outputs": outputs,
            "frames_in": self.report.frames_in,
            "drawings": self.report.drawings,
            "shots": self.report.shots,
            "held_flicker": round(self.report.held_flicker, 4),
            "preview": [str(path) for path in self.report.preview or ()],
            "loop": asdict(self.report.loop) if self.report.loop else None,
            "device": self.device,
            "seconds": {stage: round(value, 4) for stage, value in seconds.items()},
            "tries": self.tries,
            "error": self.problem,
        }


class WorkerPool(Protocol):
    """Where jobs are done: in this process, in some of its own, or on other machines."""

    def free(self) -> bool:
        """Whether a job can be taken now."""

    def submit(self, job: Job) -> None:
        """Take a job."""

    def collect(self) -> list[JobResult]:
        """Jobs that are done; waits a moment for one."""

    def close(self) -> None:
        """Stop what is being done."""


def run_jobs(jobs: Iterable[Job], slots: WorkerPool, ledger: RunLog | None, *, overwrite: bool) -> Generator[JobResult]:
    """Do every job, and tell of each how it went. Closes the slots.

    ledger: keeps what is done, so that it is not done again, and two runs at once share the work. None: it is one job.
    Raises SettingsError for what is wrong with every input.
    """
    waiting = deque(jobs)
    claims: dict[Path, tuple[Job, OutputLocks]] = {}  # by the first target
    try:
        while waiting or claims:
            for _ in range(len(waiting)):
                if not slots.free():
                    break
                job = waiting.popleft()
                begun = _begin(job, ledger, overwrite)
                if begun is None:  # another run is at it; it may be done by it, or left to us, later
                    waiting.append(job)
                elif isinstance(begun, JobResult):
                    yield _told(begun, ledger)
                else:
                    claims[job.targets[0].path] = job, begun
                    slots.submit(job)
            for done in slots.collect():
                told = _told(done, ledger)
                _release(*claims.pop(done.job.targets[0].path), ledger)
                yield told
    finally:
        slots.close()
        for job, claim in claims.values():
            _release(job, claim, ledger)


def run_job(job: Job, segment: Segment, watch: Progress) -> JobResult:
    """Do one job, in whose way nothing is. Raises SettingsError for what is wrong with every input."""
    started = time.perf_counter()
    source = source_fingerprint(job.source)
    report, problem = Result(), None
    digests: tuple[str, ...] = ()
    try:
        report = cut(job.source, job.targets, job.settings, segment, watch)
        problem = _told_of(job, "; ".join(report.problems)) or None
        digests = tuple(output_digest(output.written.path)[1] for output in report.outputs)
    except AnimecutError as error:
        if isinstance(error, SettingsError) and not job.listed:
            raise
        problem = _told_of(job, str(error))
        if error.field or isinstance(error, NoRoom):  # neither names the input
            problem = f"{job.source}: {problem}"
    except (OSError, MemoryError) as error:
        why = reason_of(error)
        problem = f"{job.source}: stopped by the system ({why}); make room for the temporary folder and the output"
    # A network that still loads is waited for.
    device = str(getattr(segment, "device_name", "")) if report.outputs else ""
    return JobResult(job, report, time.perf_counter() - started, device, problem, source, digests)


def _told_of(job: Job, message: str) -> str:
    """The message with columns for arguments where a list has set them."""
    return in_columns(message) if job.listed else message


class InProcess:
    """This process as the only slot."""

    def __init__(self, segment: Segment, watch: Progress) -> None:
        self._segment, self._watch = segment, watch
        self._job: Job | None = None

    def free(self) -> bool:
        """Whether a job can be taken now."""
        return self._job is None

    def submit(self, job: Job) -> None:
        """Take a job."""
        self._job = job

    def collect(self) -> list[JobResult]:
        """The job, done."""
        job, self._job = self._job, None
        if job is None:
            time.sleep(PAUSE)
            return []
        return [run_job(job, self._segment, self._watch)]

    def close(self) -> None:
        """Nothing to do."""


def lock_outputs(job: Job, ledger: RunLog | None, overwrite: bool) -> OutputLocks | JobResult | None:
    """Lock a job's outputs and make room for them; None where another run is at it.

    A result where the ledger says that nothing is to be made. Raises OutputError: something is there already, or cannot
    be written there.
    """
    paths = [target.path for target in job.targets]
    for path in [*paths, *(preview.paths(paths[0]) if job.settings.preview else ())]:
        _demand_short_name(path)
    for folder in dict.fromkeys(path.parent for path in paths):
        _make_folder(folder)
    locks = OutputLocks.take(paths)
    if locks is None:
        return None
    try:
        if ledger and not overwrite and (before := ledger.finished(job.source, paths, job.recipe)):
            locks.release()
            return JobResult(job, before=before)
        ours = {path for path in paths if locks.is_left_over(path) or (ledger is not None and ledger.names(path))}
        if job.settings.preview and paths[0] in ours:
            ours.update(preview.paths(paths[0]))
        for path in [*paths, *(preview.paths(paths[0]) if job.settings.preview else ())]:
            _make_room(path, job.source, overwrite or path in ours)
        locks.begin()
    except BaseException:
        locks.release()
        raise
    return locks


def _begin(job: Job, ledger: RunLog | None, overwrite: bool) -> OutputLocks | JobResult | None:
    """The same, with what is in the way told as the job's result."""
    try:
        return lock_outputs(job, ledger, overwrite)
    except OutputError as error:
        return JobResult(job, problem=str(error), source=source_fingerprint(job.source))


def _told(done: JobResult, ledger: RunLog | None) -> JobResult:
    """The same, once the report tells of it."""
    if ledger and not done.before:
        try:
            ledger.add(done.as_json())
        except OutputError as error:
            return replace(done, problem=done.problem or str(error))
    return done


def _release(job: Job, claim: OutputLocks, ledger: RunLog | None) -> None:
    paths = [target.path for target in job.targets]
    claim.release([path for path in paths if ledger and path.exists() and not ledger.names(path)])


def _demand_short_name(path: Path) -> None:
    if not fits(path):
        raise OutputError(f"{path}: its name is longer than {LONGEST_NAME} bytes; name a shorter one with `output`")


def _make_room(path: Path, source: Path, overwrite: bool) -> None:
    if path.exists() and source.exists() and path.samefile(source):
        raise OutputError(f"{path}: is the input itself; name another with `output`")
    if path.exists() and not overwrite:
        raise OutputError(f"{path}: is there already; add `overwrite` to replace it, or name another with `output`")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: no folder can be made there ({reason_of(error)}); name another with `output`"
        ) from error
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{folder}: may not be written to; name another with `output`")
