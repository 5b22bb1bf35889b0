"""The frozen settings of a project: every key of ``gleis.toml``, its type and its default."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from gleis.config.data_settings import DatasetSettings, DataSettings
from gleis.contracts.contract import Task
from gleis.contracts.outliers import OutlierAnswer, OutlierMethod
from gleis.contracts.release import RowMetric, Strategy, Watched


class ProjectSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[project]``: what is predicted, from which module."""

    name: str
    """Name of the project: letters, digits, ``-`` and ``_``."""
    module: str
    """Python module in the project folder with ``load`` and ``build_model``."""
    task: Task
    """``binary``, ``multiclass`` or ``regression``."""
    target: str
    """Column to predict; rows where it is null have no label yet."""
    id: str | None = None
    """Column that names a row; values are unique. Never a feature."""
    time: str | None = None
    """Column of the event time (naive times are UTC). Never a feature."""
    label_delay: str = "0s"
    """When the truth becomes known after the event: ``6h``."""
    weight: str | None = None
    """Column that says how many rows of the world a row stands for, > 0, such as ``weight`` of a
    dataset from the log. The fit and the figures use it; never a feature."""
    positive: str | int | float | bool | None = None
    """Positive class of a binary task; by default the later one of the two, sorted."""


class SplitSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[split]``: which rows test."""

    by: Literal["time", "group", "random"] = "random"
    """``time``: the latest rows test. ``group``: whole groups. ``random``: shuffled rows."""
    test: str | float = 0.2
    """A share of the rows or groups (0 < share < 1), or for ``time`` a duration: ``14d``."""
    group: str | None = None
    """Column of the groups, for ``by = "group"``. Never a feature."""
    since: str | None = None
    """Rows before this moment (ISO 8601, UTC) neither train nor test: the world was another."""


class FeatureSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[features]``: which columns the model may see (all but id, time, target and group)."""

    exclude: tuple[str, ...] = ()
    """Columns kept out of the model."""
    include: tuple[str, ...] = ()
    """If given, only these."""
    available_at: dict[str, str] = {}
    """When a column is known: a duration after the event (``6h``), or a column with the moment,
    which then is no feature. A feature known only after the decision is a leak."""
    online: str | None = None
    """Where a service looks up the features of feature views: ``sqlite`` (a file of the state
    folder), ``lmdb``, or for services on several machines ``redis://host:6379/0`` (Valkey too) or
    ``postgresql://host/name``. By default in ``database``, else SQLite. An address that holds a
    secret: ``env:NAME`` takes it from a variable."""
    unknown: Literal["missing", "fallback"] = "missing"
    """What becomes of a row whose features cannot be looked up: the model gets ``missing`` values,
    if training saw such, else the baseline answers; or the baseline answers always."""


class EvidenceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[evidence]``: how the model is examined."""

    slices: tuple[str, ...] = ()
    """Columns whose values are examined one by one."""
    bootstrap: int = 200
    """Bootstrap replicates behind every interval."""
    min_slice: int = 100
    """Slices with fewer rows are reported as unknown."""
    groups: tuple[str, ...] | None = None
    """Columns that name groups of rows: recordings, patients, machines. A score that falls when
    whole groups are kept apart is a leak. Without it such columns are looked for; ``[]``: none."""
    outliers: str = "1 in 1000"
    """Share of training rows that count as unusual as a whole; live rows as unusual are flagged."""
    outlier_method: OutlierMethod = "mahalanobis"
    """How unusual a row is: ``mahalanobis``, the distance of its numbers from their mean with their
    correlations, and how rare its categories are; ``isolation_forest``, how few random cuts set it
    apart; ``ecod``, how far out in the tails of each column it is."""
    measurement_error: dict[str, float] = {}
    """How far a number may be from the truth, in its unit: ``{ temp = 0.5 }``. The robustness test
    moves each row's numbers so far, to where it does most harm; others by 1% of their spread."""


class FairnessSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[fairness]``: which groups of people are compared, and what is done about it."""

    protected: tuple[str, ...] = ()
    """Columns that make the groups, and all their intersections. They may be kept out of the model
    (``features.exclude``) and are still used for testing."""
    bands: dict[str, tuple[float, ...]] = {}
    """Where to cut a protected number: ``{ age = [25, 40, 65] }``."""
    min_group: int = 30
    """Groups with fewer test rows are reported as unknown, never as fair."""
    favourable: str | None = None
    """The class that is good for the person; by default the positive one."""
    mitigate: str | None = None
    """How the model is made to treat the groups more alike, such as ``reweighing``. All ways, and
    what each needs, are in docs/mitigation.md."""
    mitigate_for: tuple[str, ...] = ()
    """Protected columns it is done for, with their intersections; by default all of them."""
    strength: float = 1.0
    """From 0, which changes nothing, to 1."""
    constraint: str | None = None
    """What is made alike, where the mitigation has a choice: ``equalized_odds``,
    ``statistical_parity`` or ``equal_opportunity``."""

    @property
    def mitigated_columns(self) -> tuple[str, ...]:
        """The columns the mitigation is for; none if there is no mitigation."""
        return (self.mitigate_for or self.protected) if self.mitigate else ()


class ExplainSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[explain]``: what explanations may say."""

    immutable: tuple[str, ...] = ()
    """Features that a person cannot change; no counterfactual touches them."""
    names: dict[str, str] = {}
    """What a feature is called in explanations in words, ``loan = "the loan"``, and a value of it,
    ``"married=1" = "married"``."""
    names_de: dict[str, str] = {}
    """The same in German: ``loan = "der Kredit"``."""
    outcomes: dict[str, str] = {}
    """What a class is for the person it is about: ``{ 1 = "approval", 0 = "refusal" }``."""
    outcomes_de: dict[str, str] = {}
    """The same in German: ``{ 1 = "eine Zusage", 0 = "eine Absage" }``."""


class DriftTrigger(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``drift = {...}``: retrain when the inputs or the scores change."""

    false_alarms: str = "1 per year"
    """The project's false-alarm rate, over all monitors together."""
    min_effect: float = 0.1
    """Population stability index below which a sure change is recorded, not alarmed."""
    harmless: Literal["record", "alarm"] = "record"
    """What becomes of a sure drift whose expected effect on performance is surely smaller than the
    performance trigger's ``min_effect``: it is recorded and retrains nothing, or it alarms too."""
    block: str | None = None
    """Time after which rows have stopped being alike: ``1d`` where a day's rows share their
    weather. Rows within it then count as one bet, however alike; without it every row counts."""


class PerformanceTrigger(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``performance = {...}``: retrain when the loss rises above what the evidence promised."""

    false_alarms: str = "1 per year"
    """The false-alarm rate of this monitor."""
    min_effect: float = 0.01
    """Rise of the mean loss below which a sure change is recorded, not alarmed."""
    block: str | None = None
    """As for ``drift``."""
    labels: Literal["all", "by_score"] = "all"
    """Which answers get a label: ``all``, or some by chance; or ``by_score``, where it depends on
    the score, as where only approved loans are known. Losses are then compared among answers of
    about the same score only; see docs/labels.md."""
    before_labels: bool = False
    """Retrain on an ``estimate`` alarm too: the loss is expected to have risen, though no label has
    shown it. Earlier, but it trains on an estimate, and on labels from before the rise."""
    since_change: int | None = None
    """Wait for so many labels since the change, and train on the rows since it only: for worlds
    that change at once, where older rows teach what is no longer true. By default all rows train,
    at once."""


class TriggerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[triggers]``: what starts a retraining; ``gleis run`` always may."""

    drift: DriftTrigger | None = None
    performance: PerformanceTrigger | None = None
    schedule: str | None = None
    """A cron line (UTC) or ``every 30d``."""
    new_labels: int | None = None
    """Retrain after so many new labels since the last training."""
    cooldown: str = "0s"
    """Time after a retraining in which no trigger but a person starts another."""
    budget: str | None = None
    """The most retrainings that triggers start in any stretch of that length: ``4 per month`` (30
    days). What a person starts, and what broke off, does not count."""
    quiet: tuple[str, ...] = ()
    """Hours in which no trigger starts one (UTC): ``"22:00-06:00"``, ``"sat-sun"``,
    ``"fri 18:00-24:00"``. One that is due then starts when they end."""
    dry_run: bool = False
    """Record what would have been retrained and why, and retrain nothing. Cooldown and budget count
    what is recorded, as if it had been done."""


class ServeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[serve]``: the HTTP service."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8000
    """Port to listen on; 0 takes a free one."""
    max_body_mb: float = 10.0
    """Larger bodies get 413."""
    max_rows: int = 10_000
    """Rows in one request; more get 413."""
    workers: int = 1
    """Processes that answer. They share the port, the log and ``/metrics``."""
    timeout: str = "1s"
    """How long a model may take before its baseline answers in its place. A compiled model or a
    rule is not waited for: it answers in microseconds."""
    outliers: OutlierAnswer = "flag"
    """What becomes of a row that is unusual as a whole: ``flag`` serves and flags it,
    ``fallback`` lets the baseline answer, ``review`` serves it and lets it wait for a person, who
    labels it with ``gleis review``."""
    max_connections: int = 1000
    """Connections at once, of each worker; one more gets 503."""
    explanations: int = 2
    """Explanations made at once, in each worker; one more gets 503 and when to ask again."""
    explanation_timeout: str = "10s"
    """How long one may take; after it 503."""
    request_timeout: str = "30s"
    """Time in which a request must have come in whole; after it 408."""
    tls_cert: str | None = None
    """PEM file, certificate first, then its chain: answer over TLS (1.2 or later). Relative to the
    project; a renewed file is taken up without a restart."""
    tls_key: str | None = None
    """PEM file of the certificate's key."""
    tls_clients: str | None = None
    """PEM file of authorities: only clients with a certificate of theirs are let in."""


class AccessSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[access]``: who may ask the service. Keys are made by ``gleis access new``."""

    open: bool = False
    """Serve without keys where others can reach it: something in front decides who may ask."""
    rate: str | None = None
    """Requests of a caller that has no rate of its own: ``100 per second``."""
    issuer: str | None = None
    """Take OIDC bearer tokens of this issuer: ``https://login.example.org/realms/ml``."""
    audience: str | None = None
    """The tokens' ``aud``; needed with ``issuer``."""
    jwks: str | None = None
    """File or URL of the issuer's public keys; by default its discovery document says where."""
    roles_claim: str = "roles"
    """Claim that holds the roles, with dots for claims in claims: ``realm_access.roles``."""


class SigningSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[signing]``: which key signs packages, and whose packages are loaded."""

    key: str | None = None
    """Private EC key (PEM), relative to the project; by default ``keys/signing.pem`` in the state
    folder, made by the first run."""
    passphrase_from: str | None = None
    """Environment variable that holds the key's passphrase; its name must not begin with GLEIS_."""
    trust: tuple[str, ...] = ()
    """Whose packages are loaded: files with public keys, or fingerprints. By default the project's
    own key and those of ``gleis keys trust``; once anything is named here, nothing else."""


class ReleaseSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[release]``: how a candidate that passed its gates takes over; see docs/releases.md."""

    strategy: Strategy = "champion"
    """``champion`` promotes at once. ``shadow``, ``canary``, ``ab`` and ``bandit`` try first."""
    share: float | None = None
    """Share of the rows the challenger answers: by default 0.05 in a canary, else 0.5."""
    metric: RowMetric = "loss"
    """What the two are compared by once labels come: ``loss`` (log loss, or squared error),
    ``brier``, ``accuracy``, ``squared_error``, ``absolute_error``, or ``outcome``, the label."""
    direction: Literal["lower", "higher"] | None = None
    """Which is better; only ``outcome`` needs it."""
    margin: float = 0.01
    """Difference of the metric that does not matter, in its own unit."""
    watch: tuple[Watched, ...] = ("errors", "latency", "loss")
    """What rolls a challenger back; ``score_shift`` is there too."""
    false_rollbacks: float = 0.05
    """Probability that a challenger as good as the champion is rolled back, ever."""
    false_promotions: float = 0.05
    """Probability that the evidence for a promotion deceives, ever."""
    tolerance: float = 0.01
    """Share of rows by which the challenger may fail, or be slow, more often."""
    slow: str = "0.1s"
    """From when on a call of a model is slow."""
    score_shift: float = 0.5
    """Difference of the mean scores that is bad, in standard deviations of the champion's."""
    min_rows: int = 500
    """Labelled rows of each version before the metric decides anything."""
    horizon: str = "30d"
    """After this time a release without a decision ends; the champion stays."""
    promote: bool = True
    """``false``: evidence for the challenger is told, and a person promotes."""
    floor: float = 0.05
    """The smallest share a bandit leaves to either version."""


class MonitorSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[monitor]``: what is watched beside what triggers a retraining; see docs/monitoring.md."""

    season: Literal["day", "week"] | None = None
    """Compare like with like: ``day`` an hour with the same hour of other days, ``week`` with the
    same hour of the week. For services whose rows differ by the clock; from the next model on."""
    false_alarms: str = "1 per year"
    """False-alarm rate of all these monitors together (estimate, labels, fairness, joint)."""
    window: str = "7d"
    """Stretch of answers behind live figures and estimates."""
    matures: str | None = None
    """Time after which a label has come or will not: coverage counts answers that old. By default
    ``project.label_delay``."""
    coverage: float = 0.5
    """Share of a mature day's answers with a label below which ``labels`` alarms; 0 never does. It
    holds where ``matures`` or ``project.label_delay`` says when labels are due."""
    joint: Literal["energy", "classifier", "none"] = "energy"
    """Nightly test whether features go together differently than in training, whatever each does
    alone: by the energy distance, or by a classifier that tells now from then. It takes rows for
    independent, so it is not made where a trigger's ``block`` says that they are not."""
    joint_at: str = "0 3 * * *"
    """When it is made: a cron line (UTC)."""
    joint_rows: int = 2_000
    """Rows of each side it looks at, 200 to 20,000."""


class AlarmSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[alarms]``: who is told; see docs/alarms.md. Nothing leaves the machine by default."""

    webhook: tuple[str, ...] = ()
    """Addresses that get each alarm as JSON by POST; http is taken on this machine only. One that
    holds a secret: ``env:NAME`` takes it from a variable."""
    webhook_secret_from: str | None = None
    """Environment variable with the key that signs what is posted (HMAC-SHA256)."""
    slack: tuple[str, ...] = ()
    """Slack-compatible incoming hooks (Slack, Mattermost, Rocket.Chat). An address is a secret:
    ``env:NAME`` takes it from a variable."""
    email: tuple[str, ...] = ()
    """Addresses that get each alarm by e-mail."""
    smtp: str | None = None
    """Server of the e-mails: ``smtp://mail.example.org:587`` (STARTTLS) or ``smtps://...:465``."""
    smtp_user: str | None = None
    """Name to log in with."""
    smtp_password_from: str | None = None
    """Environment variable with its password."""
    sender: str | None = None
    """``From`` of the e-mails; needed with ``email``."""
    kinds: tuple[str, ...] = ()
    """Kinds of alarms that are told, such as ``drift``; by default all."""
    link: str | None = None
    """Address of this service's pages, to be put into messages."""
    give_up: str = "3d"
    """How long a receiver that fails is tried again, ever more rarely; then it is given up."""


class LoopSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[loop]``: the loop beside the service."""

    every: str = "10s"
    """How often monitors and triggers look at what is new."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of ``gleis.toml`` with its defaults."""

    project: ProjectSettings
    data: DataSettings = DataSettings()
    datasets: dict[str, DatasetSettings] = {}
    """Tables beside the project's own dataset, by name."""
    params: dict[str, Any] = {}
    """Handed to ``build_model`` as they are."""
    split: SplitSettings = SplitSettings()
    features: FeatureSettings = FeatureSettings()
    evidence: EvidenceSettings = EvidenceSettings()
    fairness: FairnessSettings = FairnessSettings()
    explain: ExplainSettings = ExplainSettings()
    gates: dict[str, str | tuple[str, ...]] = {}
    """Figure -> rule, or a list of rules: ``">= 0.6"``, ``"<= 0.2"``, ``"better than baseline"``;
    see docs/gates.md. Names with dots in quotes: ``"fairness.sex.statistical_parity_ratio"``."""
    triggers: TriggerSettings = TriggerSettings()
    serve: ServeSettings = ServeSettings()
    release: ReleaseSettings = ReleaseSettings()
    access: AccessSettings = AccessSettings()
    signing: SigningSettings = SigningSettings()
    monitor: MonitorSettings = MonitorSettings()
    alarms: AlarmSettings = AlarmSettings()
    loop: LoopSettings = LoopSettings()
    seed: int = 0
    """Seeds the split, the estimator's ``random_state`` and the bootstrap."""
    state: str = ".gleis"
    """Folder, relative to the project, where gleis keeps what it knows."""
    store: str | None = None
    """Where datasets, artifacts and packages are, if not in the state folder: another folder, or
    ``s3://bucket/prefix``."""
    remote: str | None = None
    """Where ``gleis push`` and ``gleis pull`` copy them: a folder or ``s3://bucket/prefix``."""
    store_patience: str = "2min"
    """How long a store or remote that does not answer, or answers 503, is asked again."""
    database: str | None = None
    """Where ledger, states, prediction log, workflows and MLflow's runs are, if not in the state
    folder: ``postgresql://user@host/name``; each project has schemas of its own there. One that
    holds a secret: ``env:NAME`` takes it from a variable. See docs/stores.md."""
    tracking: str | None = None
    """MLflow tracking URI; by default in ``database``, else SQLite in the state folder."""
