"""The spec that `curator spec new` writes: short, sound, with a word on each choice."""

from __future__ import annotations

_TEXT = """\
# A use case: what is needed, why it may be had, what must hold. `curator spec schema --out use-case.schema.json`
# gives editors completion; `curator plan` tells what would happen, before any row is read.
# yaml-language-server: $schema=use-case.schema.json
curator: 1
name: {name}
version: 1.0.0
title: What question should these data answer?
description: One row per person, to learn what the purpose below says.
owner:
  organisation: Who holds the data
  contact: data-protection@organisation.example
purpose:
  statement: Why these data are needed, in one sentence that the public may read.
law:
  regime: gdpr                      # or police-directive
  basis: public-task
  text: The article of law that allows it
  dpia: Reference of the impact assessment
  ai_act: minimal                   # class of the systems that will learn from it
  retention_days: 365

sources:                            # only the columns named here are ever read
  people:
    path: people.csv                # from the folder of this file, or from --data
    columns:
      person_id: integer
      national_id: text
      birth_date: date
      department: text
      observed_on: date
      outcome: boolean

extract:
  from: people
  derive:
    age: age_years(birth_date, observed_on)
  row_key: [person_id]              # one row each; rows are sampled, split and ordered by a keyed digest of it
  entity: [national_id]             # all rows of one entity fall in the same split

fields:                             # what the dataset will hold, and how each field is protected
  person:
    from: national_id
    meaning: The person, as a pseudonym that holds for this dataset alone.
    identifier: direct
    protect: token
    form: nir
  age_band:
    value: band(age, 10)
    meaning: Age in bands of ten years.
    unit: year
    identifier: quasi
    protect: generalise
  zone:
    value: substr(department, 1, 1)
    meaning: First character of the department.
    identifier: quasi
    protect: generalise
  outcome: {{meaning: What is to be predicted., identifier: sensitive}}

quality:
  max_rejected: 0.1                 # share of rows that may be set apart before the run is refused
  expectations:                     # Great Expectations' own names
    - {{type: expect_column_values_to_not_be_null, kwargs: {{column: outcome}}, because: the label must be known}}
    - {{type: expect_column_values_to_be_between, kwargs: {{column: age, min_value: 0, max_value: 120}}}}

disclosure:
  k: 5                              # at least five people share each combination of quasi-identifiers
  suppress: 0.05                    # share of rows that may be left out to reach it

splits:
  by: entity
  shares: {{train: 0.8, validation: 0.1, test: 0.1}}

channels: {{}}                        # nothing leaves until a channel is opened here
"""


def starter(name: str) -> str:
    """The starter spec of a use case called `name`."""
    return _TEXT.format(name=name)
