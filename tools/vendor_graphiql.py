"""Fetches GraphiQL and React from npm and puts what the page needs beside energycore.graphql.

Run `python tools/vendor_graphiql.py` after changing a version here, and with `--check` to see
whether the files that are kept are still exactly what these versions give. Needs npm.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

STATIC = Path(__file__).parents[1] / "src" / "energycore" / "graphql" / "static"
BUNDLED = "bundled.LICENSE.txt"


@frozen(kw_only=True)
class Package:
    """A package of npm: its exact version, the SHA-512 of its archive, the files taken from it."""

    name: str
    version: str
    sha512: str
    files: dict[str, str]


PACKAGES = (
    Package(
        name="graphiql",
        version="2.4.7",
        sha512="166ddf548eb910fc97cbe3dd6de414c8e0d3c25d8d869678ee6b069c6c290ef744cd876017ba4faf12fdeb109f177d4a21ab92e3e71e109f99c047b988b5a243",
        files={
            "graphiql.min.js": "graphiql.min.js",
            "graphiql.min.css": "graphiql.min.css",
            "LICENSE": "graphiql.LICENSE.txt",
        },
    ),
    Package(
        name="react",
        version="18.3.1",
        sha512="c12fa1020252851d0a844bcf240adfb8f54dd7e1f3d6dd18ea7e632eb1906e46f8bab80f13fd11bdefb590c075bffa16807826e1621c57e8bb176a53563fb689",
        files={
            "umd/react.production.min.js": "react.production.min.js",
            "LICENSE": "react.LICENSE.txt",
        },
    ),
    Package(
        name="react-dom",
        version="18.3.1",
        sha512="e66e2740aa7ead945bd3d2cd1f9f463380714e1f76e75ff295b2886e97bb4e91b17c9fbd92fe812e42c15c88e3b296e06e720136a948db7b519d3593d2c9d423",
        files={"umd/react-dom.production.min.js": "react-dom.production.min.js"},
    ),
)


def fetched(package: Package, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of each file that is taken from a package.

    Raises:
        ValueError: the archive is not the one that was reviewed.
    """
    archive_name = npm("pack", f"{package.name}@{package.version}", "--silent", folder=folder)
    archive = folder / archive_name.strip()
    digest = hashlib.sha512(archive.read_bytes()).hexdigest()
    if digest != package.sha512:
        raise ValueError(f"{archive.name} has SHA-512 {digest}, expected {package.sha512}")
    with tarfile.open(archive) as content:
        for inside, name in package.files.items():
            member = content.extractfile(f"package/{inside}")
            if member is None:
                raise ValueError(f"{archive.name} has no file {inside}")
            yield name, trimmed(name, member.read())


def trimmed(name: str, content: bytes) -> bytes:
    """Take out what the page does not need: embedded fonts and the names of source maps."""
    if name.endswith(".css"):
        # 350 kB of fonts under licences of their own; the browser's own fonts do as well.
        content = re.sub(rb"@font-face\s*\{[^}]*\}", b"", content)
    content = re.sub(rb"/\*# sourceMappingURL=[^*]*\*/|//# sourceMappingURL=\S*", b"", content)
    return content.rstrip() + b"\n"


def licences(folder: Path) -> str:
    """Collect the licences of all packages that are compiled into graphiql.min.js."""
    (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
    wanted = f"graphiql@{PACKAGES[0].version}"
    options = ("--omit=peer", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock")
    npm("install", wanted, *options, folder=folder)
    packages: defaultdict[str, list[str]] = defaultdict(list)
    for manifest_path in sorted((folder / "node_modules").rglob("package.json")):
        manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
        texts = sorted(manifest_path.parent.glob("LICEN[CS]E*"))
        if "version" in manifest and "name" in manifest and texts:
            text = texts[0].read_text(encoding="utf-8").strip()
            packages[text].append(f"{manifest['name']} {manifest['version']}")
    parts = ["The packages that graphiql.min.js was compiled from, and their licences.\n"]
    for text, names in sorted(packages.items(), key=lambda item: item[1]):
        parts.append(f"{'=' * 80}\n{', '.join(sorted(set(names)))}\n\n{text}\n")
    return "\n".join(parts)


def npm(*arguments: str, folder: Path) -> str:
    """Run npm in a folder and return what it printed."""
    command = ["npm", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def main() -> int:
    """Write or check the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    check = parser.parse_args().check
    different = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files = dict(pair for package in PACKAGES for pair in fetched(package, folder))
        if not check:
            files[BUNDLED] = licences(folder).encode()
    for name, content in sorted(files.items()):
        target = STATIC / name
        if check and target.read_bytes() != content:
            different.append(name)
        elif not check:
            target.write_bytes(content)
            print(f"{name}: {len(content):,} bytes")
    for name in different:
        print(f"{name} is not what this version gives", file=sys.stderr)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
