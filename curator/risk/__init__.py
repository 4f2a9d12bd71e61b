"""Who could be found in a table, measured on the files that are written: engine-free, from Arrow and numpy alone.

Three questions: how alike are people on what is declared (`measure_files`); which columns that nobody declared single
people out, alone or by two or three (`expose_files`); and how to tell it to a person, in words and pictures, in French
or English (`tell`, then `text` or `page`). No answer holds a value of a row.
"""

from curator.risk._columns import Column, column_of, columns_of, table_columns, together_codes
from curator.risk._combinations import Combination, Exposure, exposure
from curator.risk._copies import Copies, compare_copies
from curator.risk._files import RiskReport, Roles, entity_of, expose_files, measure_files, report_files
from curator.risk._measures import Diversity, Measures, Risk, crowd_of, measure, whose
from curator.risk._page import page
from curator.risk._roles import roles_of
from curator.risk._screen import text
from curator.risk._telling import Telling, tell

__all__ = [
    "Column",
    "Combination",
    "Copies",
    "Diversity",
    "Exposure",
    "Measures",
    "Risk",
    "RiskReport",
    "Roles",
    "Telling",
    "column_of",
    "columns_of",
    "compare_copies",
    "crowd_of",
    "entity_of",
    "expose_files",
    "exposure",
    "measure",
    "measure_files",
    "page",
    "report_files",
    "roles_of",
    "table_columns",
    "tell",
    "text",
    "together_codes",
    "whose",
]
