# SPDX-License-Identifier: Apache-2.0
"""Build backend (PEP 517) of the package, which needs nothing but Python.

A wheel carries the program, under both its names, where it is given one: in CORAS_WHEEL_PROGRAM, or as an argument of
this file (scripts/wheel). Without one it is a wheel of Python files alone, whose module finds a program that is
installed. From a tarball of a release come also the licences of what is inside the program, and from beside it the list
of that (SPDX). The same files give the same bytes.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import os
import re
import struct
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HERE = Path(__file__).resolve().parent.parent
PROGRAM_VARIABLE = "CORAS_WHEEL_PROGRAM"
PROGRAM_NAMES = ("coras", "oras")
LICENCES = ("LICENSE", "NOTICE", "THIRD-PARTY")
MOST_BYTES = 6 << 20  # of a wheel
FIRST_TIME = 315532800  # 1980: zip archives know no earlier one
EXECUTABLE, PLAIN = 0o755, 0o644
MACHINES = {62: "x86_64", 183: "aarch64"}
PT_INTERP = 3  # in an ELF file: it needs the C library of a system


def _project() -> dict[str, Any]:
    with open(HERE / "pyproject.toml", "rb") as file:
        project: dict[str, Any] = tomllib.load(file)["project"]
    return project


def _stem(project: dict[str, Any]) -> str:
    name: str = re.sub(r"[-_.]+", "_", project["name"]).lower()
    return f"{name}-{project['version']!s}"


def _time() -> int:
    return max(int(os.environ.get("SOURCE_DATE_EPOCH", FIRST_TIME)), FIRST_TIME)


def _metadata(project: dict[str, Any]) -> str:
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {project['name']}",
        f"Version: {project['version']}",
        f"Summary: {project['description']}",
        f"License: {project['license']}",
        f"Keywords: {','.join(project['keywords'])}",
        *[f"Classifier: {each}" for each in project["classifiers"]],
        f"Requires-Python: {project['requires-python']}",
        "Description-Content-Type: text/markdown",
    ]
    return "\n".join(lines) + "\n\n" + (HERE / str(project["readme"])).read_text(encoding="utf-8")


def _entry_points(project: dict[str, Any]) -> str:
    parts = []
    for group, entries in project["entry-points"].items():
        parts.append(f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items()))
    return "\n".join(parts)


# ---- the program ----


class _Program:
    """What becomes a command, and what must go with it: licences by name, and the list of what is inside.

    Without commands it is a wheel of Python files alone.
    """

    def __init__(self, commands: dict[str, bytes], licences: dict[str, bytes], inside: bytes | None = None) -> None:
        self.commands, self.licences, self.inside = commands, licences, inside


def _licences() -> dict[str, bytes]:
    """Our own: beside this package in an sdist, a directory further up in a checkout."""
    places = [(HERE / name, HERE.parent / name) for name in LICENCES]
    paths = [path for pair in places for path in pair if path.is_file()]
    return {path.name: path.read_bytes() for path in paths}


def _read_release(path: Path) -> _Program:
    """Its `coras` is the program, and a small one, `oras`, calls it; where there is but one, it has both names."""
    commands, licences = {}, {}
    with tarfile.open(path) as archive:
        for member in archive:
            name = os.path.basename(member.name)
            file = archive.extractfile(member) if member.isfile() else None
            if file is not None and name in LICENCES:
                licences[name] = file.read()
            elif file is not None and name in PROGRAM_NAMES and member.mode & 0o111:
                commands[name] = file.read()
    if not commands:
        raise ValueError(f"{path}: there is no program in it")
    only = next(iter(commands.values()))
    commands = {name: commands.get(name, only) for name in PROGRAM_NAMES}
    inside = path.with_name(path.name[: -len(".tar.gz")] + ".spdx.json")
    return _Program(commands, licences, inside.read_bytes() if inside.exists() else None)


def _read_program(path: Path) -> _Program:
    """The program: a file, or the one in a tarball of a release."""
    if path.name.endswith(".tar.gz"):
        return _read_release(path)
    return _Program(dict.fromkeys(PROGRAM_NAMES, path.read_bytes()), _licences())


def _platform(program: bytes) -> str:
    """The platform tag: a static program runs with any C library, another one only where it was built."""
    if program[:6] != b"\x7fELF\x02\x01":
        raise ValueError("the program is not an ELF file of a 64-bit little-endian machine")
    machine: int = struct.unpack_from("<H", program, 18)[0]
    arch = MACHINES.get(machine)
    if arch is None:
        raise ValueError(f"the program is for a machine of an unknown kind ({machine})")
    offset, size, count = struct.unpack_from("<Q", program, 32)[0], *struct.unpack_from("<HH", program, 54)
    kinds = [struct.unpack_from("<I", program, offset + i * size)[0] for i in range(count)]
    if PT_INTERP in kinds:
        return f"linux_{arch}"
    return f"manylinux2014_{arch}.manylinux_2_17_{arch}.musllinux_1_1_{arch}"


# ---- the wheel ----


def _package_files() -> list[tuple[str, bytes, int]]:
    source = HERE / "src"
    paths = [path for path in source.rglob("*") if path.suffix == ".py" or path.name == "py.typed"]
    return [(path.relative_to(source).as_posix(), path.read_bytes(), PLAIN) for path in sorted(paths)]


def _record(files: list[tuple[str, bytes, int]], path: str) -> bytes:
    lines = []
    for name, data, _ in files:
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(data)}\n")
    return ("".join(lines) + f"{path},,\n").encode()


def _zip(path: Path, files: list[tuple[str, bytes, int]]) -> None:
    import time

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data, mode in files:
            info = zipfile.ZipInfo(name, time.gmtime(_time())[:6])
            info.external_attr = (0o100000 | mode) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            archive.writestr(info, data)


def _companions(stem: str, program: _Program) -> list[tuple[str, bytes, int]]:
    """The program under its names, the licences, the list of what is inside."""
    files = [(f"{stem}.data/scripts/{name}", data, EXECUTABLE) for name, data in program.commands.items()]
    files += [(f"{stem}.dist-info/licenses/{name}", text, PLAIN) for name, text in sorted(program.licences.items())]
    if program.inside is not None:
        files.append((f"{stem}.dist-info/sboms/coras.spdx.json", program.inside, PLAIN))
    return files


def _build(directory: Path, program: _Program) -> str:
    project = _project()
    stem = _stem(project)
    tag = f"py3-none-{_platform(program.commands[PROGRAM_NAMES[0]]) if program.commands else 'any'}"
    wheel = [f"Wheel-Version: 1.0\nGenerator: coras\nRoot-Is-Purelib: {'false' if program.commands else 'true'}\n"]
    wheel += [f"Tag: py3-none-{platform}\n" for platform in tag.split("-")[2].split(".")]
    files = _package_files() + _companions(stem, program)
    files += [
        (f"{stem}.dist-info/METADATA", _metadata(project).encode(), PLAIN),
        (f"{stem}.dist-info/WHEEL", "".join(wheel).encode(), PLAIN),
        (f"{stem}.dist-info/entry_points.txt", _entry_points(project).encode(), PLAIN),
    ]
    record = f"{stem}.dist-info/RECORD"
    files.append((record, _record(files, record), PLAIN))
    name = f"{stem}-{tag}.whl"
    new = directory / f".{name}.new"
    _zip(new, files)
    if new.stat().st_size > MOST_BYTES and "manylinux" in tag:
        new.unlink()
        raise ValueError(f"{name} would be larger than {MOST_BYTES} bytes")
    new.replace(directory / name)
    return name


def build_wheel(wheel_directory: str, config_settings: Any = None, metadata_directory: Any = None) -> str:
    path = os.environ.get(PROGRAM_VARIABLE)
    return _build(Path(wheel_directory), _read_program(Path(path)) if path else _Program({}, _licences()))


def build_sdist(sdist_directory: str, config_settings: Any = None) -> str:
    project = _project()
    stem = _stem(project)
    paths = ["pyproject.toml", project["readme"], "backend/coras_build.py"]
    files = [(path, (HERE / path).read_bytes()) for path in paths]
    files += [(f"src/{name}", data) for name, data, _ in _package_files()]
    files += list(_licences().items())
    files.append(("PKG-INFO", _metadata(project).encode()))
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in sorted(files):
            info = tarfile.TarInfo(f"{stem}/{name}")
            info.size, info.mtime, info.mode = len(data), _time(), PLAIN
            archive.addfile(info, io.BytesIO(data))
    name = f"{stem}.tar.gz"
    (Path(sdist_directory) / name).write_bytes(gzip.compress(out.getvalue(), mtime=0))
    return name


def main() -> None:
    """DIRECTORY PROGRAM...: a wheel for each program or tarball of a release, and the sdist."""
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for path in sys.argv[2:]:
        print(directory / _build(directory, _read_program(Path(path))))
    print(directory / build_sdist(str(directory)))


if __name__ == "__main__":
    main()
