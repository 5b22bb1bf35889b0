"""What repeating a run showed."""

from __future__ import annotations

import msgspec


class Reproduction(msgspec.Struct, frozen=True, kw_only=True):
    """A run, repeated from its record."""

    run: str
    same_model: bool
    """The model file is the same, byte for byte."""
    largest_difference: float
    """Largest absolute difference between the scores on the test rows."""
    differences: tuple[str, ...]
    """What differs between then and now: code, environment, settings."""
    rows: int
    """Test rows compared."""

    @property
    def same(self) -> bool:
        """Equal bytes, or scores equal to 1e-9."""
        return self.same_model or self.largest_difference <= 1e-9

    def lines(self) -> list[str]:
        """Write it for people."""
        told = [f"Run {self.run}, repeated:"]
        told += [f"  differs   {difference}" for difference in self.differences]
        how = "the same, byte for byte" if self.same_model else "other bytes"
        told.append(f"  model     {how}")
        told.append(
            f"  scores    at most {self.largest_difference:.1e} apart on {self.rows:,} test rows"
        )
        told.append("  Reproduced." if self.same else "  NOT reproduced.")
        return told
