"""What the cached steps leave behind: small structs that name artifacts by content."""

from __future__ import annotations

import msgspec

from gleis.contracts.contract import Contract
from gleis.contracts.evidence import Evidence, Parity
from gleis.packaging.frames import Frame
from gleis.packaging.onnx_model import Layout


class Fitted(msgspec.Struct, frozen=True, kw_only=True):
    """A fitted model and its scores on the test rows."""

    key: str
    code: str
    """Hash of the source that ``build_model`` reached when it was fitted."""
    estimator: str
    """Artifact: skops; with a layout, ONNX."""
    trusted: tuple[str, ...]
    """Types the skops file needs beyond skops's own list, exactly."""
    frame: Frame = "polars"
    """The kind of table it was fitted on; another one only for a model made elsewhere."""
    layout: Layout | None = None
    """How it is asked and read, if it came as ONNX."""
    scores: str
    """Artifact: test scores as .npy, (n_test,) or (n_test, n_classes)."""
    contract: Contract
    seeds: dict[str, int]
    train_rows: int
    test_rows: int
    notes: tuple[str, ...]

    adopted: str | None = None
    """SHA-256 of the file it came from; None if it was fitted here."""

    @property
    def artifacts(self) -> tuple[str, ...]:
        """Digests this result stands on."""
        return (self.estimator, self.scores)


class Ruled(msgspec.Struct, frozen=True, kw_only=True):
    """The baseline as a rule, and its scores on the test rows."""

    key: str
    code: str
    """Hash of the source that ``baseline`` reached when it was asked."""
    rule: str
    """Artifact: JSON of the rule."""
    scores: str
    contract: Contract
    train_rows: int
    test_rows: int
    notes: tuple[str, ...]

    @property
    def artifacts(self) -> tuple[str, ...]:
        """Digests this result stands on."""
        return (self.rule, self.scores)


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """What the test rows say, and what the package needs of them."""

    key: str
    evidence: Evidence
    reference: str
    """Artifact: JSON of the Reference."""
    examples: str
    """Artifact: JSON of the Examples that test the package."""
    outliers: str
    """Artifact: JSON of the OutlierModel."""
    background: str
    """Artifact: JSON of the rows for explanations, feature -> values."""

    @property
    def artifacts(self) -> tuple[str, ...]:
        """Digests this result stands on."""
        return (self.reference, self.examples, self.outliers, self.background)


class CompiledForm(msgspec.Struct, frozen=True, kw_only=True):
    """The compiled form of a fitted estimator, or why there is none."""

    key: str
    files: dict[str, str]
    """File name in a package -> artifact; empty if it was refused."""
    parity: Parity
    onnx: Parity | None = None
    """Of the ONNX form, which is tried where the compiled one is refused."""

    @property
    def artifacts(self) -> tuple[str, ...]:
        """Digests this result stands on."""
        return tuple(self.files.values())
