"""How rows were chosen, in plain words for descriptions that machines read."""

from __future__ import annotations

from curator.spec import UseCase


def told_draw(use_case: UseCase) -> list[str]:
    """One phrase for each step between the joined rows and the sample, in the order in which they act."""
    extract, sample = use_case.extract, use_case.extract.sample
    told = [
        f"made {', '.join(table.columns)} from {table.events} up to {table.until}" for table in extract.history
    ]  # fmt: skip
    if extract.label is not None:
        label = extract.label
        told.append(f"made {label.name} from {label.events} within {label.within_days} days after {label.after}")
    if extract.window is not None:
        told.append(f"kept {extract.window.column} from {extract.window.since or 'the first'} to "
                    f"{extract.window.until or 'the last'}")  # fmt: skip
    if sample is None:
        return told
    steps = {
        f"at most {sample.per_entity} rows of one entity": sample.per_entity,
        f"a share of {sample.fraction or 1:g} of the rows": sample.fraction,
        f"at least {sample.at_least.rows if sample.at_least else 0} rows of each class": sample.at_least,
        f"quotas of {sample.quotas.by if sample.quotas else ''}": sample.quotas,
        f"quotas of the strata of {', '.join(sample.strata.by) if sample.strata else ''}": sample.strata,
        f"{sample.negatives.per_positive if sample.negatives else 0:g} negative rows a positive one": sample.negatives,
        f"at most {sample.max_rows} rows": sample.max_rows,
    }
    return told + [f"kept {words}, by hash" for words, part in steps.items() if part is not None]
