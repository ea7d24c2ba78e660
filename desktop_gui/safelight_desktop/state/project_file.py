"""Projects as files: a zip archive of `project.json` and the arrays it names."""

from __future__ import annotations

import contextlib
import os
import secrets
import zipfile
from pathlib import Path

from safelight.errors import InputFileError, OutputFileError
from safelight_desktop.state.blobs import QUICK, ZipBlobs, damaged
from safelight_desktop.state.project import Project, from_json, to_json

SUFFIX = ".safelight"
JSON_NAME = "project.json"
JSON_BYTES_MOST = 256 << 20


def write_project(project: Project, path: Path) -> None:
    """Replaces the file in one step; raises OutputFileError and leaves the old one. Blocks."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        with part.open("xb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=QUICK) as archive:
                archive.writestr(JSON_NAME, to_json(project, ZipBlobs(archive)))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise OutputFileError(
            f"the project {path} could not be written ({error.strerror or error}): choose another folder, or free "
            "some space",
            "PROJECT_NOT_WRITTEN",
        ) from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def read_project(path: Path) -> Project:
    """Raises InputFileError. Blocks."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(JSON_NAME).file_size > JSON_BYTES_MOST:
                raise damaged("its list of regions is too long")
            return from_json(archive.read(JSON_NAME).decode(), ZipBlobs(archive))
    except FileNotFoundError:
        raise InputFileError(f"there is no file {path}: check the name", "FILE_MISSING") from None
    except OSError as error:
        raise InputFileError(
            f"the project {path} cannot be read ({error.strerror}): check that you may read it",
            "FILE_UNREADABLE",
        ) from None
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError):
        raise damaged("it is no archive of a project") from None
