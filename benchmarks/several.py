"""Machines that share a database, an S3 store and a broker, and no disk: the same tables as one process, whoever is killed.

    python -m benchmarks.several [--enti 8] [--documents 1000] [--kills 10] [--seed 10] [--only-kills]

Each "machine" is `pcc worker` with a home of its own and one thread, over Redis. First the same enti are done by one worker,
then by two: what waits in the queue is there before they start. Their ratio is printed, and beside it how much more two
processes get done than one that only count; the store is in files, since an S3 server of tests (moto) answers one request at a
time. Then three workers do them over S3, and at random moments one of them is killed with all it started and begun again;
afterwards the tables are compared with those of one process (`pcc run`).
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random

import fsspec
import psutil
import sqlalchemy as sa
from dagster import DagsterRunStatus, RunsFilter

TESTS = Path(__file__).resolve().parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "fire")]

import killed_services  # noqa: E402
import killed_states  # noqa: E402
from serving import answers, free_port  # noqa: E402

from assets.run import opened, run_headless  # noqa: E402
from pcc_pipeline.arrival.delivery import deliver  # noqa: E402
from pcc_pipeline.database import embedded  # noqa: E402
from pcc_pipeline.database.engine import database_url, dispose, engine  # noqa: E402
from pcc_pipeline.database.schema import table  # noqa: E402
from pcc_pipeline.demo import write_provider  # noqa: E402
from pcc_pipeline.installation import Installation  # noqa: E402
from pcc_pipeline.runs.pipeline import read_provider  # noqa: E402
from pcc_pipeline.settings import Settings  # noqa: E402

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
REFERENCE_DATE = date(2025, 12, 31)
#: Seconds after which what is not published is given up.
PATIENCE = 900.0


@contextmanager
def running(*command: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process with a group of its own, which ends with the block."""
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kills a process and all it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def until(what: Callable[[], bool], patience: float = PATIENCE, why: Callable[[], str] = lambda: "nothing") -> None:
    """Waits until something holds. Raises TimeoutError with what `why` says where it does not in time."""
    end = time.monotonic() + patience
    while not what():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {patience:.0f} s for {why()}")
        time.sleep(0.5)  # what looks takes time from those who work


class Place:
    """A database, a store and a broker of their own, with the files of some enti delivered and their runs in the queue."""

    def __init__(self, folder: Path, files: Path, up: ExitStack, *, s3: bool = False) -> None:
        self._up, self._folder = up, folder
        redis = free_port()
        folder.mkdir()
        server = up.enter_context(running("redis-server", "--port", str(redis), "--save", "", "--dir", str(folder)))
        self._beside = {"queue": server.pid, "this program": os.getpid()}
        own = Settings.at(folder / "home")
        engine(own)
        self.settings = replace(
            own, threads=1, workers=1, runs_at_once=3, store_url=self._bucket() if s3 else own.store_url, quiet_seconds=1, broker_url=f"redis://127.0.0.1:{redis}/0",
            database_url=database_url(own).render_as_string(hide_password=False),
        )  # fmt: skip
        self._own = own
        read_provider(Installation(self.settings), files)
        for part in ("daemon", "inbox"):  # what arrives is taken in where it lies, whichever machine works on it
            self._beside[part] = up.enter_context(running(*PCC, part, **self.settings.environment())).pid
        self.enti = [path for path in sorted(files.iterdir()) if not path.name.startswith("_")]
        self.instance = up.enter_context(opened(self.settings))
        first = self.worker(0)
        missed = RunsFilter(job_name="calculate_service_levels", statuses=[DagsterRunStatus.SUCCESS])
        until(lambda: bool(self.instance.get_runs(missed)), 120)  # the night that a new installation catches up
        kill(first)
        asked = RunsFilter(job_name="reconcile_ente")
        for number, ente in enumerate(self.enti, 1):  # one by one: what arrives together becomes one run
            for kind in sorted(ente.iterdir()):
                for file in kind.iterdir():
                    deliver(self.settings.inbox, ente.name, kind.name, file)
            until(lambda number=number: len(self.instance.get_runs(asked)) >= number, 120)

    def _bucket(self) -> str:
        """The address of a store on an S3 server of its own."""
        port = free_port()
        self._up.enter_context(running(sys.executable, "-m", "moto.server", "-p", str(port)))
        os.environ |= {**KEYS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
        until(lambda: answers(f"http://127.0.0.1:{port}/moto-api/"), 60)
        fsspec.filesystem("s3", skip_instance_cache=True).mkdir("pcc")
        return "s3://pcc/store"

    def worker(self, number: int) -> subprocess.Popen[bytes]:
        """A machine's worker; the first one's machine is that of the inbox, every other has a home of its own."""
        command = [*PCC, "worker", "--processes", "1"]
        if number == 0:
            return self._up.enter_context(running(*command, **self.settings.environment()))
        home = self._folder / f"machine{number}"
        mine = replace(self.settings, home=home, inbox=home / "inbox").environment()
        return self._up.enter_context(running(*command, "--anywhere", **mine))

    def all_published(self) -> bool:
        """Whether readers see each ente, and no run is left."""
        with engine(self.settings).connect() as connection:
            found = set(connection.scalars(sa.select(table("stock").c.ente).distinct()))
        return found == {ente.name for ente in self.enti} and not self.at_work()

    def busy(self) -> dict[str, float]:
        """Processor seconds so far of all processes beside the workers, by what they are."""
        found = {part: psutil.Process(pid) for part, pid in self._beside.items()}
        found["database"] = database_server()
        return {part: processor(process, alone=part == "this program") for part, process in found.items()}

    def at_work(self) -> int:
        """How many runs have not ended."""
        return len(self.instance.get_runs(RunsFilter(statuses=[*killed_services.AT_WORK, DagsterRunStatus.QUEUED])))

    def told(self) -> str:
        """The runs that have not ended, each with its state and when it changed."""
        left = self.instance.get_run_records(RunsFilter(statuses=[*killed_services.AT_WORK, DagsterRunStatus.QUEUED]))
        return "; ".join(f"{one.dagster_run.job_name} {one.dagster_run.status.value} {one.update_timestamp}" for one in left)

    def leave(self) -> None:
        """Closes what this process holds."""
        dispose(self.settings)
        embedded.release(self._own.home)
        embedded.stop(self._own.home)


PCC = (sys.executable, "-m", "pcc_pipeline")


def database_server() -> psutil.Process:
    """The PostgreSQL server of this machine, of which the other processes of that name are parts."""
    servers = [process for process in psutil.process_iter(["name"]) if process.info["name"] == "postgres"]
    return next(process for process in servers if process.parent() not in servers)


def processor(process: psutil.Process, *, alone: bool = False) -> float:
    """Processor seconds of a process and, unless alone, of all that it started."""
    return sum(
        sum(one.cpu_times()[: 2 if alone else 4]) for one in [process, *([] if alone else process.children(recursive=True))]
    )


def timed(root: Path, files: Path, workers: int) -> float:
    """Seconds in which so many workers empty the queue, from the start of the first run; prints what else was busy."""
    with ExitStack() as up:
        place = Place(root / f"timed{workers}", files, up)
        up.callback(place.leave)
        for number in range(workers):
            place.worker(number)
        until(lambda: bool(place.instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.STARTED]))), 120)
        before, started = place.busy(), time.perf_counter()
        until(place.all_published, why=place.told)
        seconds = time.perf_counter() - started
        beside = ", ".join(f"{part} {used - before[part]:.1f}" for part, used in place.busy().items())
        print(f"  {workers} workers: {seconds:.1f} s, processor seconds beside them: {beside}", flush=True)
        return seconds


def count(up_to: int) -> int:
    """Adds numbers up: work for a processor alone."""
    return sum(range(up_to))


def two_to_one() -> float:
    """How much more two processes get done than one on this machine when they do nothing but count."""
    numbers = 40_000_000
    with multiprocessing.Pool(2) as pool:
        seconds = []
        for processes in (1, 2):
            started = time.perf_counter()
            pool.map(count, [numbers] * processes, chunksize=1)
            seconds.append(time.perf_counter() - started)
    return 2 * seconds[0] / seconds[1]


def killed(root: Path, files: Path, kills: int, seed: int) -> tuple[killed_states.State, float]:
    """The tables after three workers did all enti, while so many times one of them was killed; seconds in all."""
    random = Random(seed)
    with ExitStack() as up:
        place = Place(root / "killed", files, up, s3=True)
        up.callback(place.leave)
        machines = [place.worker(number) for number in range(3)]
        started = time.perf_counter()
        for count in range(kills):
            time.sleep(random.uniform(2, 12))
            number = random.randrange(3)
            kill(machines[number])
            machines[number] = place.worker(number)
            print(f"  kill {count + 1}: worker {number}, {place.at_work()} runs not ended", flush=True)
        until(place.all_published, why=place.told)
        return killed_services.certain(killed_states.tables(place.settings), place.settings), time.perf_counter() - started


def alone(root: Path, files: Path) -> killed_states.State:
    """The tables that one process makes of the same files."""
    settings = Settings.at(root / "alone", threads=1)
    read_provider(Installation(settings), files)
    enti = [path.name for path in sorted(files.iterdir()) if not path.name.startswith("_")]
    for ente in enti:
        shutil.copytree(files / ente, settings.inbox / ente)
    assert run_headless(Installation(settings), enti)
    found = killed_services.certain(killed_states.tables(settings), settings)
    dispose(settings)
    embedded.release(settings.home)
    embedded.stop(settings.home)
    return found


def main() -> int:
    """Prints the seconds, their ratio, and what differs after the kills; 1 where something does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--enti", type=int, default=8)
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--only-kills", action="store_true")
    parser.add_argument("--seed", type=int, default=10, help="of the moments of the kills")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pcc-bench-") as folder:
        root = Path(folder)
        if os.geteuid() == 0:
            root.chmod(0o711)  # the embedded server runs as another user
        write_provider(
            root / "files", enti=asked.enti, documents=asked.documents, seed=7, reference_date=REFERENCE_DATE, sdi_share=0, bad_rows=False
        )  # fmt: skip
        for kind in (root / "files/_provider").iterdir():
            if kind.name != "enti":  # tickets of all enti, which would make one run of them
                shutil.rmtree(kind)
        if not asked.only_kills:
            machine = [two_to_one()]
            one, two = (timed(root, root / "files", workers) for workers in (1, 2))
            machine.append(two_to_one())
            print(
                f"{asked.enti} enti of {asked.documents} documents: one worker {one:.1f} s, two {two:.1f} s: {one / two:.2f}; "
                f"two processes that only count: {machine[0]:.2f}, {machine[1]:.2f}",
                flush=True,
            )
        if not asked.kills:
            return 0
        wanted = alone(root, root / "files")
        found, seconds = killed(root, root / "files", asked.kills, asked.seed)
        if left := found.pop("table of Dagster, runs at work"):  # its tables lie elsewhere for one process
            print(f"{left} runs never ended")
        problems = killed_states.differences(wanted, found)
        print(f"three workers, {asked.kills} kills: {seconds:.1f} s, {'; '.join(problems) or 'the tables of one process'}")
        return bool(problems or left)


if __name__ == "__main__":
    sys.exit(main())
