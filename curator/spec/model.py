"""What a use case says: the words of a spec, as frozen records. Unknown keys are refused everywhere.

The names follow the Open Data Contract Standard (purpose, owner, quality), statistical disclosure control (identifier
kinds, k, l) and the texts of law they quote. `curator.spec.checks` holds the rules that tie one part to another.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from curator.canonical import sha256_json

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$", description="lower case, digits, underscores")]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$", description="lower case, digits, hyphens")]
Version = Annotated[
    str, Field(pattern=r"^(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})$", description="semver")
]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Formula = Annotated[str, Field(min_length=1, max_length=2000, description="curator's expression language")]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class Word(BaseModel):
    """Base of every part of a spec: frozen, strict, no unknown key."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)


class Regime(StrEnum):
    """The law that governs the processing (GDPR art. 2(2)(d) sends police purposes to Directive 2016/680)."""

    gdpr = "gdpr"
    police = "police-directive"


class LegalBasis(StrEnum):
    """GDPR art. 6(1)(a)-(f); `law-enforcement` is Directive 2016/680 art. 8(1)."""

    consent = "consent"
    contract = "contract"
    obligation = "legal-obligation"
    vital = "vital-interests"
    public_task = "public-task"
    legitimate = "legitimate-interests"
    law_enforcement = "law-enforcement"


class AiActClass(StrEnum):
    """Class of the intended system under Regulation 2024/1689 (AI Act)."""

    minimal = "minimal"
    limited = "limited"
    high = "high"
    prohibited = "prohibited"


class LogicalType(StrEnum):
    """Type of a column, whatever the engine calls it. `free_text` is prose that may name anybody."""

    text = "text"
    free_text = "free_text"
    integer = "integer"
    decimal = "decimal"
    float = "float"
    boolean = "boolean"
    date = "date"
    timestamp = "timestamp"


class IdentifierKind(StrEnum):
    """Statistical disclosure control's kinds: what a column tells about who somebody is."""

    direct = "direct"
    quasi = "quasi"
    sensitive = "sensitive"
    none = "none"


class Owner(Word):
    """Who answers for the use case (the controller's service)."""

    organisation: Text
    contact: Text


class Purpose(Word):
    """Why the data may be used (GDPR art. 5(1)(b))."""

    statement: Text
    compatible_uses: tuple[Text, ...] = ()


class Law(Word):
    """What allows it. Attributes name the texts; the retention is that of the dataset made from them."""

    regime: Regime
    basis: LegalBasis
    text: Text = Field(description="the article that founds the processing")
    dpia: Text = Field(description="reference of the impact assessment (GDPR art. 35, Directive 2016/680 art. 27)")
    ai_act: AiActClass
    retention_days: int = Field(ge=1, le=36525, description="days after which the dataset must be erased")


class Column(Word):
    """One column read from a source; a column that is not declared is never read."""

    type: LogicalType
    column: str | None = Field(default=None, min_length=1, max_length=200, description="its name in the source")
    format: str | None = Field(
        default=None, max_length=40, description="strftime pattern of a date or timestamp as text"
    )

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, value: Any) -> Any:
        return {"type": value} if isinstance(value, str) else value


class SourceFormat(StrEnum):
    """How a source is stored."""

    csv = "csv"
    parquet = "parquet"
    json = "json"
    duckdb = "duckdb"
    sqlite = "sqlite"


class Source(Word):
    """One operational table and how to read it.

    Attributes:
        path: file, relative to the data folder given at run time or to the spec; never an address with a secret.
        format: guessed from the file's name when absent.
        table: name of the table inside a database file.
        encoding, separator, quote, decimal: of text files.
        null_tokens: texts that mean null, besides the empty one.
        strict: whether a column that the spec does not declare is an error (otherwise it is left unread).
        columns: the columns to read; the key is the name used in the spec.
    """

    path: str = Field(min_length=1, max_length=500)
    format: SourceFormat | None = None
    table: str | None = Field(default=None, min_length=1, max_length=200)
    encoding: str = Field(default="utf-8", pattern=r"^[A-Za-z0-9_.-]{1,40}$")
    separator: str = Field(default=",", min_length=1, max_length=4)
    quote: str = Field(default='"', min_length=0, max_length=1)
    decimal: Literal[".", ","] = "."
    null_tokens: tuple[str, ...] = ()
    strict: bool = False
    columns: dict[Name, Column] = Field(min_length=1)


class Join(Word):
    """A table brought to the base table by equal keys.

    Attributes:
        source: name of the joined source.
        on: columns of that name on both sides; the joined table's copy is not kept.
        kind: `inner` drops rows without partner, `left` keeps them with nulls.
        orphans: `report` counts rows without partner in either direction; `stop` refuses any; `ignore` saves the count.
    """

    source: Name
    on: tuple[Name, ...] = Field(min_length=1)
    kind: Literal["inner", "left"] = "inner"
    orphans: Literal["report", "stop", "ignore"] = "report"


class Sample(Word):
    """A reproducible share of the rows, chosen by hash threshold on a stable key.

    Rows that share the key stay together, and a row chosen once stays chosen when the source grows.
    """

    fraction: float = Field(gt=0.0, le=1.0)
    by: tuple[Name, ...] = Field(min_length=1)
    seed: int = Field(default=0, ge=0)


class Extraction(Word):
    """Which rows and columns the use case needs.

    Attributes:
        from_: the base source; its rows are what the dataset counts.
        join: tables brought to it, in order.
        where: condition a row must meet (null counts as not met).
        derive: columns computed from others, in order; each may use those before it.
        sample: share of the rows to keep.
        row_key: columns that name one row; they must be unique and not null.
        entity: columns that name whom the row is about; no entity crosses splits.
    """

    from_: Name = Field(alias="from")
    join: tuple[Join, ...] = ()
    where: Formula | None = None
    derive: dict[Name, Formula] = Field(default_factory=dict)
    sample: Sample | None = None
    row_key: tuple[Name, ...] = Field(min_length=1)
    entity: tuple[Name, ...] = Field(min_length=1)


class OutputField(Word):
    """One column of the dataset: where it comes from, what it means, who it could betray, how it is protected.

    Attributes:
        from_: the source or derived column; the field's own name when absent.
        value: for `generalise`, the formula that makes it coarser; exclusive with `from`.
        meaning: what a reader must know to use it.
        unit: unit of measure (SI or plain words).
        identifier: what it tells about a person; may be left out only when its name does not look personal.
        because: why a field whose name looks personal is not.
        protect: `keep` as is, `drop` it, `token` (keyed pseudonym), `generalise` (coarser value).
        form: for `token`, the canonical form of the identifier (nir, plate, phone, email, name, licence ...).
        domain: for `token`, the field domain of the key; fields that must be joinable share one. The form when absent.
    """

    from_: Name | None = Field(default=None, alias="from")
    value: Formula | None = None
    meaning: Text
    unit: Text | None = None
    identifier: IdentifierKind | None = None
    because: Text | None = None
    protect: Literal["keep", "drop", "token", "generalise"] = "keep"
    form: Slug | None = None
    domain: Slug | None = None


class Expectation(Word):
    """A Great Expectations expectation and what happens to a row that fails it.

    Attributes:
        type: its Great Expectations name.
        kwargs: its arguments, as in a suite's JSON.
        on_failure: `reject` sets the row apart with its reason; `warn` reports only (a true extreme must survive);
            `stop` refuses the whole run when the expectation is not met.
        because: why it must hold, for whoever meets its failure.
    """

    type: str = Field(pattern=r"^expect_[a-z0-9_]+$", max_length=100)
    kwargs: dict[str, Any] = Field(default_factory=dict)
    on_failure: Literal["reject", "warn", "stop"] = "reject"
    because: Text | None = None


class Quality(Word):
    """What must hold of the rows.

    Attributes:
        expectations: the suite.
        max_rejected: largest share of extracted rows that may be rejected before the run is refused.
        keep_rejected_days: days that rejected rows are kept, encrypted, for their holder to correct the source.
    """

    expectations: tuple[Expectation, ...] = ()
    max_rejected: Share = 0.5
    keep_rejected_days: int = Field(default=30, ge=0, le=3650)


class Diversity(Word):
    """Distinct l-diversity: each class of like persons holds at least `value` values of a sensitive field."""

    column: Name
    value: int = Field(ge=2)


class Disclosure(Word):
    """Limits on finding somebody, measured on the files written.

    Attributes:
        k: smallest class of rows alike on every kept quasi-identifier (k-anonymity, Sweeney 2002).
        l: distinct l-diversity (Machanavajjhala 2007).
        suppress: largest share of accepted rows that may be left out to reach k and l; 0 forbids suppression.
    """

    k: int = Field(ge=1)
    l: Diversity | None = None  # noqa: E741 (the literature's own letter)
    suppress: Share = 0.0


class EntitySplits(Word):
    """Splits drawn by keyed hash of the entity: stable when the data grows. Shares add up to 1."""

    by: Literal["entity"]
    shares: dict[Name, Share] = Field(min_length=1, max_length=8)


class TimeSplits(Word):
    """Splits cut in time: each holds rows up to and including its date; the last is open (null)."""

    by: Literal["time"]
    column: Name
    until: dict[Name, str | None] = Field(min_length=1, max_length=8)


class Estimator(StrEnum):
    """Baseline estimators that convert to ONNX with proven parity."""

    logistic_regression = "logistic-regression"
    random_forest = "random-forest"
    gradient_boosting = "gradient-boosting"
    hist_gradient_boosting = "hist-gradient-boosting"
    linear_regression = "linear-regression"


class Baseline(Word):
    """The model that any later one must beat.

    Attributes:
        name: registry name of the model.
        task: classification or regression.
        estimator: scikit-learn estimator.
        target: output field to predict.
        features: output fields to learn from: numbers are imputed and scaled, texts one-hot encoded.
        text_features: output fields vectorised by TF-IDF.
        parameters: estimator parameters, by scikit-learn's names.
        seed: random state.
    """

    name: Slug
    task: Literal["classification", "regression"]
    estimator: Estimator
    target: Name
    features: tuple[Name, ...] = Field(min_length=1)
    text_features: tuple[Name, ...] = ()
    parameters: dict[str, bool | int | float | str | None] = Field(default_factory=dict)
    seed: int = Field(default=0, ge=0)


class ChannelTerms(Word):
    """On what terms a channel may receive the dataset or a model made from it.

    Attributes:
        purposes: what a receiver may do; anything else is refused (closed list, deny by default).
        licence: SPDX name or the agreement's reference.
        max_days: longest time a release may last.
        models: whether models trained on the dataset may go too.
        legal_text: the text that allows leaving the police regime, where that regime applies.
    """

    purposes: tuple[Slug, ...] = Field(min_length=1)
    licence: Text
    max_days: int = Field(ge=1, le=36525)
    models: bool = False
    legal_text: Text | None = None


class Channels(Word):
    """The channels a dataset may leave by; an absent one is closed."""

    open: ChannelTerms | None = None
    research: ChannelTerms | None = None
    industry: ChannelTerms | None = None

    def terms(self, channel: str) -> ChannelTerms | None:
        """Terms of a channel; None when it is closed or unknown."""
        return getattr(self, channel) if channel in type(self).model_fields else None


class UseCase(Word):
    """A use case: what it needs, why it may have it, what must hold."""

    curator: Literal[1] = Field(description="version of the spec language")
    name: Slug
    version: Version
    title: Text
    description: Text | None = None
    owner: Owner
    purpose: Purpose
    law: Law
    sources: dict[Name, Source] = Field(min_length=1)
    extract: Extraction
    fields: dict[Name, OutputField] = Field(min_length=1)
    quality: Quality = Quality()
    disclosure: Disclosure | None = None
    splits: EntitySplits | TimeSplits = Field(discriminator="by")
    model: Baseline | None = None
    channels: Channels = Channels()

    @property
    def ref(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"

    @property
    def digest(self) -> str:
        """SHA-256 of the meaning of the spec: independent of comments, order of keys and layout."""
        return sha256_json(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """The spec as JSON, every default written out."""
        return self.model_dump(mode="json", by_alias=True)

    def kept(self) -> dict[str, OutputField]:
        """The fields that are written: all but the dropped ones."""
        return {name: field for name, field in self.fields.items() if field.protect != "drop"}

    def quasi_identifiers(self) -> tuple[str, ...]:
        """Written fields that tell something about who a person is, in the order of the spec."""
        return tuple(name for name, field in self.kept().items() if field.identifier == IdentifierKind.quasi)
