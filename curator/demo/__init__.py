"""A seeded base of road accidents in France: invented people, true codes, known faults; needs no outside file.

`generate` writes three tables; every value is a function of (seed, row), so the same call gives the same rows on any
machine and with any library version (the bytes of the files may follow the version of pyarrow). Nobody in them
exists: names, numbers and plates are drawn; any likeness is chance. E-mail domains are reserved ones (RFC 2606).

Tables (text unless said; `-> t` is a foreign key; codes follow the French accident form, BAAC, where one exists):

accidents   num_acc (12 digits, key), occurred_at (timestamp, local time), time_text (HH:MM), dep, com (INSEE code),
            nature (N00..N39), collision (1-7), light (1-5), weather (1-9), road_category (1-9), built_up (0/1),
            intersection (1-9), surface (1-9), lanes (1-6), lat, lon (degrees, float64, a quarter missing),
            unit_code (5 digits), agent_number (6 digits), report_number (NNNNN/NNNNN/YYYY), narrative (French text)
vehicles    num_acc -> accidents, num_veh (A01, B01 ...; key with num_acc), category (BAAC code), plate, vin, make,
            first_registered (year), obstacle (0-17), moving_obstacle (0-9), shock (0-9), manoeuvre (0-25),
            occupants (count)
persons     person_id (int64, key), num_acc + num_veh -> vehicles (a pedestrian names the vehicle that hit), role
            (1 driver, 2 passenger, 3 pedestrian), severity (1 unhurt, 2 killed, 3 in hospital, 4 light), sex (1/2),
            last_name, married_name, first_names, birth_date (date), birth_place (INSEE code or 99 + country), nir,
            phone, email, address, postcode, city, licence_number, safety (two digits: equipment, use), trip (0-9),
            seat (0-9), pedestrian_location (0-8), pedestrian_action (0-9), pedestrian_company (0-3),
            alcohol_test (0-3), drug_test (0-3), licence_status (0-6), occupation (1-9), hospital_transport (0-2),
            ejected (0/1), trapped (0/1), insured (0-2)

Small codes are int8, first_registered int16. `truth/truth.json` counts what was injected, `truth/identifiers.parquet`
lists every direct identifier as written, `truth/entities.parquet` says which rows are one human being (a real NIR
belongs to one person; here the order number is drawn, so about one person in ten thousand at 100,000 rows, one in a
thousand at 1,000,000, shares theirs). `enrich_baac` adds identities beside the real tables of the accident file.
"""

from curator.demo._baac import enrich_baac
from curator.demo._generate import TABLES, generate
from curator.demo._truth import RATES, Truth

__all__ = ["RATES", "TABLES", "Truth", "enrich_baac", "generate"]
