"""Run the same per-solve child on Dask workers: ``compare --cluster tcp://host:8786``.

The Dask task does nothing but start the child that a local run would start, so that limits and
kills work inside the task. Instances travel by content with their hash; results are stored by the
client as they come. Retries are off; a row whose worker died is sent once more, and says so.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import os
import socket
import tempfile
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path
from typing import Any

from optmap.compiled import say_once
from optmap.errors import InputError
from optmap.experiment.run.children import run_child
from optmap.experiment.run.environment import code_version
from optmap.experiment.run.job import Job
from optmap.experiment.run.process import Ended
from optmap.experiment.run.source import Source
from optmap.experiment.run.store import Store, StoreError
from optmap.experiment.run.sweep import Watcher, finish
from optmap.readers.ranc_cores import core_files

Parcel = dict[str, str]


def packed(job: Job) -> tuple[Parcel, Source]:
    """Return an instance's files by relative name, and its source in terms of these names."""
    source = job.source
    if source.file is None and source.network is None:
        raise InputError("--cluster", "", "a network that is no file", "a file, or gen:NAME")
    instance = source.load()
    instance.snn  # noqa: B018 - nothing leaves this machine that is no network
    paths = [instance.file, instance.platform_file, instance.spikes]
    if source.file is not None and source.platform is not None:  # its own platform is read too
        paths.append(replace(source, platform=None).load().platform_file)
    if instance.encoding is not None:
        paths.append(instance.encoding.values)
    if source.constraints is not None:
        paths.append(Path(source.constraints))
    if not instance.network.startswith("gen:"):
        network = Path(instance.network)
        paths += core_files(network) if network.is_dir() else [network]
    known = [Path(os.path.abspath(path)) for path in paths if path is not None]
    root = Path(*_common_parts(known))
    parcel = {
        str(path.relative_to(root)): base64.b64encode(path.read_bytes()).decode() for path in known
    }
    named = {n: Path(os.path.abspath(path)) for n, path in source.paths().items()}
    return parcel, source.with_paths(
        {name: str(path.relative_to(root)) for name, path in named.items()}
    )


def _common_parts(paths: Iterable[Path]) -> list[str]:
    parents = [path.parent.parts for path in paths]
    shared = []
    for parts in zip(*parents, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return shared


def solve_parcel(job_json: str, parcel: Parcel, source: Source, version: str = "") -> Ended:
    """Unpack an instance on a worker and run its job in a child process there.

    A worker of another version than ``version`` runs nothing; its row is run again by the next
    call.
    """
    job = Job.from_json(job_json)
    if version and code_version() != version:
        return _lost(f"worker {socket.gethostname()} has optmap {code_version()}, not {version}")
    with tempfile.TemporaryDirectory(prefix="optmap-") as folder:
        for name, content in parcel.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(base64.b64decode(content))
        # The parcel holds what the sender could read; where it lay is of no account here.
        there = replace(source.seen_from(Path(folder)), allow_outside=source.file is not None)
        local = replace(job, source=there)
        ended = run_child(local, threading.Event())
    if ended.row is not None and "mapping" in ended.row:
        ended.row["mapping"]["source"] = job.source.to_json()
    return ended


def sweep_on_cluster(
    jobs: Iterable[Job], store: Store, watcher: Watcher, address: str, *, timeout_s: float = 10.0
) -> None:
    """Run every job whose row the store lacks on a Dask cluster.

    Raises
    ------
    InputError
        If there is no scheduler at ``address``, a worker runs another version of the code, no
        worker may take a row of so many threads, or the extra ``[cluster]`` is not installed.
    StoreError
        If a row could not be written, or the scheduler is gone; what still runs is given up.
    """
    try:
        from distributed import Client, as_completed
        from distributed.scheduler import KilledWorker
    except ImportError:
        raise InputError(
            "--cluster", "", "no package 'distributed'", "pip install 'optmap[cluster]'"
        ) from None
    for name in ("distributed", "distributed.client"):  # what is lost is said here, in one line
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout=timeout_s)
    except (OSError, ValueError) as error:
        raise InputError("--cluster", "", f"{address} ({error})", "a Dask scheduler") from None
    with client, _told_when_gone(address, store), _no_silent_reruns(client):
        _refuse_other_versions(client)
        todo = [job for job in jobs if job.key() not in store.rows]
        _refuse_workers_without_room(client, max((j.limits.threads for j in todo), default=0))
        parcels: dict[str, tuple[Parcel, Source]] = {}
        futures: dict[Any, tuple[Job, bool]] = {}

        def send(job: Job, again: bool) -> Any:
            if job.digest not in parcels:
                parcels[job.digest] = packed(job)
            future = client.submit(
                solve_parcel,
                job.to_json(),
                *parcels[job.digest],
                code_version(),
                key=f"optmap-{job.key()}-{int(again)}",
                retries=0,
                pure=False,
                resources={"solver": job.limits.threads},
            )
            futures[future] = (job, again)
            watcher.started(job)
            return future

        queue = as_completed([send(job, False) for job in todo])
        try:
            for future in queue:
                job, again = futures.pop(future)
                failure = future.exception()
                if isinstance(failure, KilledWorker) and not again:
                    queue.add(send(job, True))
                    continue
                ended = future.result() if failure is None else _lost(_words(failure))
                row, attached = finish(job, ended)
                if again:
                    reason = f"{row.reason} (run again: its worker was lost)".strip()
                    row = replace(row, reason=reason)
                store.append(row.to_json(), attached)
                watcher.ended(job, row)
        except (KeyboardInterrupt, StoreError):
            client.cancel(list(futures))
            raise


@contextlib.contextmanager
def _no_silent_reruns(client: Any) -> Iterator[None]:
    """Let the scheduler report a lost worker at once; by default it reruns three times unasked."""

    def allow(failures: int, dask_scheduler: Any = None) -> int:
        before: int = dask_scheduler.allowed_failures
        dask_scheduler.allowed_failures = failures
        return before

    before = client.run_on_scheduler(allow, 0)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # the scheduler may be gone
            client.run_on_scheduler(allow, before)


@contextlib.contextmanager
def _told_when_gone(address: str, store: Store) -> Iterator[None]:
    """Say in one line that the scheduler went away, and what is kept."""
    try:
        yield
    except (CancelledError, asyncio.CancelledError, TimeoutError, OSError) as error:
        raise StoreError(
            f"the scheduler at {address} is gone ({type(error).__name__});"
            f" {len(store.rows)} finished rows are kept, the same command goes on"
        ) from None


def _refuse_other_versions(client: Any) -> None:
    """Name the workers that run other code: their rows would be of another program."""
    here = code_version()
    others = {worker: found for worker, found in client.run(code_version).items() if found != here}
    if others:
        names = ", ".join(f"{worker} ({found})" for worker, found in sorted(others.items())[:5])
        raise InputError("--cluster", "workers", names, f"optmap {here} on every worker, as here")


def _refuse_workers_without_room(client: Any, threads: int) -> None:
    """Say that no worker there takes a row of so many threads: the rows would wait for ever."""
    workers = client.scheduler_info()["workers"].values()
    most = max((worker.get("resources", {}).get("solver", 0) for worker in workers), default=None)
    if most is None:
        say_once("no worker yet: rows wait for dask worker ... --resources solver=1")
    elif most < threads:
        found = f"{len(workers)}, each with a resource solver of at most {most:g}"
        expected = f"one started with --resources solver={threads}"
        raise InputError("--cluster", "workers", found, expected)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _lost(reason: str) -> Ended:
    """Return what is known of a row whose worker went away: the next call runs it again."""
    return Ended(None, "exit", -1, reason, 0.0, None)
