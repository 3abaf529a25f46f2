"""The daemon keeps the process that holds our definitions, and begins it anew where it has ended."""

from __future__ import annotations

import sys
from pathlib import Path

from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin
from dagster._core.remote_representation.grpc_server_registry import GrpcServerRegistry, ServerRegistryEntry
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._grpc.server import GrpcServerCommand

from pcc_pipeline.commands.serve import _forget_ended


def test_definitions_are_loaded_again_only_where_their_process_has_ended(tmp_path: Path) -> None:
    file = tmp_path / "some.py"
    file.write_text("from dagster import Definitions\n\ndefs = Definitions()\n")
    target = LoadableTargetOrigin(executable_path=sys.executable, python_file=str(file))
    origin = ManagedGrpcPythonEnvCodeLocationOrigin(loadable_target_origin=target, location_name="some")
    with GrpcServerRegistry(
        instance_ref=None, server_command=GrpcServerCommand.API_GRPC, heartbeat_ttl=20, startup_timeout=60,
        wait_for_processes_on_shutdown=True,
    ) as registry:  # fmt: skip

        def process() -> int:
            entry = registry.get_grpc_server_entry(origin)
            assert isinstance(entry, ServerRegistryEntry)
            return int(entry.process.server_process.pid)

        first = process()
        _forget_ended(registry)
        assert process() == first
        entry = registry.get_grpc_server_entry(origin)
        assert isinstance(entry, ServerRegistryEntry)
        entry.process.server_process.kill()
        entry.process.server_process.wait()
        _forget_ended(registry)
        assert process() != first
