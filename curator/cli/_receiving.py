"""`receive`: what a vendor runs; needs no capital."""

from __future__ import annotations

from argparse import Namespace

from curator.cli._console import Answer, Console, pairs
from curator.receiving import open_package


def receive(args: Namespace, console: Console) -> Answer:
    """Verify a package, then unpack it where asked."""
    with open_package(args.file, trust=args.trust, into=args.into) as package:
        versions = {kind: manifest.ref for kind, manifest in package.manifests.items()}
        document = {
            "verified": True,
            "versions": versions,
            "rows": package.manifest.rows,
            "terms": package.terms.to_json(),
            "delivered_by": package.delivery.statement.agent,
            "folder": str(package.folder) if args.into else None,
        }
    lines = {**versions, **package.terms.to_json(), "delivered by": document["delivered_by"]}
    if args.into:
        lines["unpacked into"] = document["folder"]
    return Answer(document=document, text="verified: every signature, review and byte\n" + pairs(lines))
