"""The card of a dataset version: README.md, what a person must know before using it.

It begins with the front matter of a Hugging Face dataset card, so that `datasets.load_dataset(FOLDER)` finds the
splits without a network, and goes on in plain English with a short French summary. Its questions are those of
Datasheets for Datasets (Gebru et al. 2021) and Data Cards (Pushkarna et al. 2022). It is a pure function of the spec
and of what the run counted: no clock, no value of a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from curator.cards._french import french_summary
from curator.cards._markdown import plain, prose
from curator.cards._sections import sections
from curator.cards._splits import rows_per_split
from curator.samples import Written
from curator.spec import UseCase

__all__ = ["dataset_card"]

_SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
    (10**9, "100M<n<1B"),
    (10**10, "1B<n<10B"),
    (10**11, "10B<n<100B"),
    (10**12, "100B<n<1T"),
)


def dataset_card(
    use_case: UseCase,
    *,
    written: Written,
    protection: Mapping[str, Any],
    representation: Mapping[str, Any] | None = None,
) -> str:
    """The README.md of a dataset version: YAML front matter, then Markdown; ends with a line feed.

    Args:
        use_case: the spec; its texts are escaped, so that none becomes markup, a link or a line of YAML.
        written: the shards, their schema and the reports of the run.
        protection: how each field was protected, as `ProtectedSample.facts` says.

        representation: figures of the rows kept against their population; None where none were asked for.

    Returns:
        Text that is the same for the same arguments.
    """
    found = sections(use_case, written=written, protection=protection, representation=representation)
    front = yaml.safe_dump(_front(use_case, written), sort_keys=False, allow_unicode=False, width=1000)
    body = [
        f"# {prose(use_case.title)}",
        f"`{use_case.ref}`, {written.rows:,} rows, made by {prose(use_case.owner.organisation)}.",
        french_summary(use_case, written, representation=representation),
        *(f"## {title}\n\n{text}" for title, text in found if text),
    ]
    return f"---\n{front}---\n\n" + "\n\n".join(body) + "\n"


def _front(use_case: UseCase, written: Written) -> dict[str, Any]:
    """The keys of a Hugging Face card (https://huggingface.co/docs/hub/datasets-cards).

    `dataset_info` is left out: `datasets` reads the schema from the files, and refuses one that differs by a hair. Only
    splits that have rows are listed: it also refuses a pattern that matches no file.
    """
    front: dict[str, Any] = {
        "pretty_name": plain(use_case.title),
        "license": "other",
        "license_name": "see-channels",
        "size_categories": [size_category(written.rows)],
        "tags": ["tabular", "pseudonymised", str(use_case.law.regime), f"ai-act-{use_case.law.ai_act}"],
    }
    if use_case.model is not None:
        front["task_categories"] = [f"tabular-{use_case.model.task}"]
    files = [
        {"split": split, "path": f"data/{split}/*.parquet"} for split, rows in rows_per_split(use_case, written) if rows
    ]
    if files:
        front["configs"] = [{"config_name": "default", "data_files": files}]
    return front


def size_category(rows: int) -> str:
    """Hugging Face's class of a number of rows."""
    return next((name for limit, name in _SIZES if rows < limit), "n>1T")
