"""Where the snapshots of a group of routers go: the devices that changed into files, or all of them whole into Bytewax's store.

In a file a change is lines of JSON: what each router counts, then two lines a changed device: (partition, name), and the device.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

import orjson

from connectors.snapshots import Reference, SnapshotFiles
from state.changes import Change
from state.routing import Router, pack_counts, pack_device, pack_router, unpack_device, unpack_router

GROUP: Final = 0
"""The one group that there is, where the files of a fold have a partition."""
Key = tuple[int, str]
"""(raw partition, device)."""


class RouteSnapshots:
    """The snapshots of the routers of a group, by partition; without files it is Bytewax that keeps all of each."""

    def __init__(self, routers: dict[int, Router], files: SnapshotFiles | None) -> None:
        self.routers = routers
        self._files = files
        self._devices: dict[Key, bytes] = {}
        """As they were last written."""

    def take(self) -> bytes:
        """Make the routers as they are now durable; returns what Bytewax is to keep."""
        routers = [self.routers[partition] for partition in sorted(self.routers)]
        if self._files is None:
            return orjson.dumps([pack_router(router) for router in routers])
        changed = list(self._changed())
        everything = self._files.wants_everything
        lines = [orjson.dumps([pack_counts(router) for router in routers])]
        for key in self._devices if everything else changed:
            lines += [orjson.dumps(key), self._devices[key]]
        offset = sum(router.next_offset for router in routers)
        return self._files.write(Change(b"\n".join(lines), b""), offset, everything=everything).encode()

    def _changed(self) -> Iterator[Key]:
        """The devices that are not as they were last written."""
        for partition, router in self.routers.items():
            for name in sorted(router.touched & router.devices.keys()):
                packed = orjson.dumps(pack_device(router.devices[name]))
                if self._devices.get((partition, name)) != packed:
                    self._devices[partition, name] = packed
                    yield partition, name
            router.touched.clear()

    @classmethod
    def begun(cls, routers: dict[int, Router], directory: Path | None) -> Self:
        """Of routers that no snapshot in files was taken of; `directory` None: there are to be no files."""
        for router in routers.values():
            router.touched.update(router.devices)
        return cls(routers, None if directory is None else SnapshotFiles(directory, GROUP))

    @classmethod
    def resumed(cls, state: bytes, directory: Path | None) -> Self:
        """Of the routers that `take` returned `state` for. Raises UnableToResume."""
        if directory is None or state.startswith(b"["):  # routers that were kept whole go on with files, if they may
            routers = map(unpack_router, orjson.loads(state))
            return cls.begun({router.partition: router for router in routers}, directory)
        found = cls({}, SnapshotFiles(directory, GROUP))
        found._read(Reference.decode(state))
        return found

    def _read(self, reference: Reference) -> None:
        assert self._files is not None
        counts = b"[]"
        for change in self._files.read(reference):
            counts, *lines = change.heads.split(b"\n")
            for key, device in zip(lines[::2], lines[1::2], strict=True):
                partition, name = orjson.loads(key)
                self._devices[partition, name] = device
        for packed in orjson.loads(counts):
            self.routers[packed["partition"]] = unpack_router(packed)
        for (partition, name), device in self._devices.items():
            self.routers[partition].devices[name] = unpack_device(orjson.loads(device))
