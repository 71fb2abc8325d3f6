#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print what the static program is made of, as SPDX 2.3 in JSON. Usage: sbom.py VERSION MACHINE PROGRAM

The packages are those of the file `sources` beside this one, each with the place it was downloaded from and its hash, and
musl, which comes with the compiler. Nothing in the document depends on when or where it was made, but for the date of the
commit (SOURCE_DATE_EPOCH).
"""
import datetime
import hashlib
import json
import os
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
LICENCES = {"curl": "curl", "libmicrohttpd": "LGPL-2.1-or-later", "libzstd": "BSD-3-Clause", "openssl": "Apache-2.0",
            "pcre2": "BSD-3-Clause", "sqlite3": "blessing", "zlib": "Zlib"}


def compiler_version():
    return re.search(r"^ziglang==(\S+)", (HERE / "compiler.txt").read_text(), re.M)[1]


def package(name, version, licence, **more):
    return {"SPDXID": f"SPDXRef-{name}", "name": name, "versionInfo": version, "downloadLocation": "NOASSERTION",
            "filesAnalyzed": False, "licenseConcluded": licence, "licenseDeclared": licence,
            "copyrightText": "NOASSERTION", **more}


def from_debian():
    """One package for each source package of Debian, found by its .dsc."""
    for line in (HERE / "sources").read_text().splitlines():
        if line.startswith("#") or not line.endswith(".dsc"):
            continue
        name, version, digest, path = line.split()
        purl = f"pkg:deb/debian/{name}@{version}?arch=source&distro=debian-12"
        yield package(name, version, LICENCES[name], downloadLocation=f"http://deb.debian.org/{path}",
                      checksums=[{"algorithm": "SHA256", "checksumValue": digest}],
                      externalRefs=[{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                                     "referenceLocator": purl.replace("+", "%2B")}])


def main():
    version, machine, program = sys.argv[1:]
    digest = hashlib.sha256(pathlib.Path(program).read_bytes()).hexdigest()
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    own = package("coras", version, "Apache-2.0", checksums=[{"algorithm": "SHA256", "checksumValue": digest}],
                  primaryPackagePurpose="APPLICATION")
    inside = [*from_debian(), package("musl", f"as in ziglang {compiler_version()}", "MIT")]
    print(json.dumps({
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"coras_{version}_linux_{machine}",
        "documentNamespace": f"urn:coras:{version}:linux:{machine}:{digest}",
        "creationInfo": {
            "created": datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": ["Tool: coras-scripts-release"]},
        "packages": [own, *inside],
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-coras"},
            *({"spdxElementId": "SPDXRef-coras", "relationshipType": "STATIC_LINK", "relatedSpdxElement": one["SPDXID"]}
              for one in inside)],
    }, indent=2))


if __name__ == "__main__":
    main()
