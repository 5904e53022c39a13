"""Snapshot files: what was written is read, damage is refused with a word on what to do, and nothing is removed too early."""

from pathlib import Path
from random import Random

import pytest

from connectors.snapshots import Reference, SnapshotFiles, UnableToResume, files
from state.changes import Change

PARTITION = 3


def change(number: int, size: int = 20) -> Change:
    return Change(b"heads %d\n" % number * 3, bytes([number % 256]) * size)


def write(snapshots: SnapshotFiles, number: int, size: int = 20) -> Reference:
    """Write the snapshot of an offset as the fold's dataflow does."""
    return snapshots.write(change(number, size), number, everything=snapshots.wants_everything)


def resume(directory: Path, reference: Reference) -> tuple[SnapshotFiles, list[Change]]:
    found = SnapshotFiles(directory, reference.partition)
    return found, list(found.read(reference))


def test_a_reference_stands_for_all_that_was_written_up_to_it(tmp_path: Path) -> None:
    snapshots = SnapshotFiles(tmp_path, PARTITION)
    references = [write(snapshots, number) for number in range(5)]
    for number, reference in enumerate(references):
        assert Reference.decode(reference.encode()) == reference
        assert resume(tmp_path, reference)[1] == [change(at) for at in range(number + 1)]


def test_what_was_written_later_counts_no_more(tmp_path: Path) -> None:
    snapshots = SnapshotFiles(tmp_path, PARTITION)
    references = [write(snapshots, number) for number in range(5)]
    resumed, _ = resume(tmp_path, references[2])
    again = write(resumed, 77)
    assert resume(tmp_path, again)[1] == [change(0), change(1), change(2), change(77)]
    assert resume(tmp_path, references[2])[1] == [change(0), change(1), change(2)]
    for reference in references[3:]:
        with pytest.raises(UnableToResume):
            resume(tmp_path, reference)


# -- damage -------------------------------------------------------------------------------------------------------------


def refused(directory: Path, reference: Reference) -> None:
    with pytest.raises(UnableToResume) as error:
        resume(directory, reference)
    assert str(directory / f"{PARTITION:05d}" / reference.file) in str(error.value)
    assert "meterfold rebuild" in str(error.value)


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, Reference, Path]:
    """(directory, the last reference, its file) of three small snapshots."""
    snapshots = SnapshotFiles(tmp_path, PARTITION)
    references = [write(snapshots, number, size=7) for number in range(3)]
    return tmp_path, references[-1], tmp_path / f"{PARTITION:05d}" / references[-1].file


def test_every_flipped_byte_is_found(written: tuple[Path, Reference, Path]) -> None:
    directory, reference, path = written
    content = path.read_bytes()
    assert len(content) == reference.length
    for at in range(len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :])
        refused(directory, reference)


def test_files_of_another_edition_are_refused_by_their_name(written: tuple[Path, Reference, Path]) -> None:
    directory, reference, path = written
    content = path.read_bytes()
    path.write_bytes(content[:3] + b"\x01" + content[4:])
    refused(directory, reference)
    with pytest.raises(UnableToResume, match="another version of meterfold"):
        resume(directory, reference)


def test_every_cut_is_found(written: tuple[Path, Reference, Path]) -> None:
    directory, reference, path = written
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        refused(directory, reference)
    path.unlink()
    refused(directory, reference)


def test_another_reference_is_refused(written: tuple[Path, Reference, Path]) -> None:
    directory, reference, _ = written
    for wrong in (
        reference._replace(next_offset=5), reference._replace(digest="00" * 16), reference._replace(length=reference.length - 1),
        reference._replace(length=0), reference._replace(file="00000000000000000009.changes"),
    ):  # fmt: skip
        refused(directory, wrong)


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b"null", b'{"format":9}', b'{"format":1,"partition":1}', b"\xff"])
def test_what_is_no_reference_is_refused(data: bytes) -> None:
    with pytest.raises(UnableToResume, match="meterfold rebuild"):
        Reference.decode(data)


def test_a_failing_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(OSError, match="no space"):
        write(SnapshotFiles(tmp_path, PARTITION), 1)


def test_a_snapshot_is_on_disk_before_it_is_referred_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(files.os, "fsync", lambda descriptor: synced.append("file"))
    monkeypatch.setattr(files, "sync_directory", lambda folder: synced.append(folder.name))
    snapshots = SnapshotFiles(tmp_path / "snapshots", PARTITION)
    write(snapshots, 1)
    assert synced == ["file", f"{PARTITION:05d}", "snapshots", tmp_path.name]
    write(snapshots, 2)
    assert synced[4:] == ["file"]


# -- files come and go --------------------------------------------------------------------------------------------------


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / f"{PARTITION:05d}").iterdir())


def test_a_file_is_begun_anew_when_changes_outgrow_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LEAST_BYTES", 0)
    snapshots, begun = SnapshotFiles(tmp_path, PARTITION), []
    for number in range(40):
        begun += [number] if snapshots.wants_everything else []
        write(snapshots, number, size=20_000 if number in begun else 4_000)
    assert begun[:3] == [0, 6, 12]
    assert len(names(tmp_path)) <= 2


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_removed_that_may_be_handed_back(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a restart is handed, of the last two that are committed and the one that may be, is there."""
    monkeypatch.setattr(files, "LEAST_BYTES", 0)
    rng, snapshots = Random(seed), SnapshotFiles(tmp_path, PARTITION)
    last: list[tuple[Reference, list[int]]] = []
    taken: list[int] = []
    for number in range(150):
        taken = [number] if snapshots.wants_everything else [*taken, number]
        last = [*last[-2:], (write(snapshots, number, rng.choice([0, 10, 3_000])), taken)]
        for reference, numbers in last:
            found = [item.heads for item in resume(tmp_path, reference)[1]]
            assert found == [change(at).heads for at in numbers]
        if rng.random() < 0.15:  # a kill: what is handed back is the last, or the one before
            reference, taken = last[rng.choice([-1, -2]) % len(last)]
            last = [item for item in last if item[0].next_offset <= reference.next_offset]
            snapshots, _ = resume(tmp_path, reference)
    assert len(names(tmp_path)) <= 4


def test_files_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    snapshots = SnapshotFiles(tmp_path, PARTITION)
    kept = write(snapshots, 1)
    snapshots.write(change(5), 5, everything=True)
    resumed, _ = resume(tmp_path, kept)
    resumed.write(change(4), 4, everything=True)
    assert [name.lstrip("0") for name in names(tmp_path)] == ["1.changes", "4.changes"]
    begun_again = SnapshotFiles(tmp_path, PARTITION)
    write(begun_again, 2)
    assert [name.lstrip("0") for name in names(tmp_path)] == ["2.changes"]
