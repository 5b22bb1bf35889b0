"""Compiles a fitted estimator and lets it through the gate, or says why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from gleis.contracts.errors import PackageError
from gleis.contracts.evidence import Parity
from gleis.contracts.profile import Reference
from gleis.packaging.compiled.estimators import compile_estimator
from gleis.packaging.compiled.form import Form, decode_form, encode_form
from gleis.packaging.compiled.model import CompiledModel
from gleis.packaging.compiled.parity import check_parity
from gleis.packaging.compiled.symbols import NotCompiledError
from gleis.packaging.examples import Examples

if TYPE_CHECKING:
    from gleis.packaging.estimator import SklearnModel

_BROKEN = (AttributeError, LookupError, TypeError, ValueError, ArithmeticError, PackageError)


class Compiled(msgspec.Struct, frozen=True):
    """What became of an estimator."""

    files: dict[str, bytes]
    """File name -> content; empty if it was refused."""
    parity: Parity
    form: Form | None = None
    """What was refused at the gate, for its thresholds."""


def compile_model(fitted: SklearnModel, reference: Reference, examples: Examples) -> Compiled:
    """Compile an estimator; what the gate compares is what was written and read again.

    Parameters
    ----------
    fitted : SklearnModel
    reference : Reference
        From which the gate draws rows.
    examples : Examples
    """
    try:
        files = encode_form(compile_estimator(fitted.estimator, fitted.contract, fitted.kind))
        form = decode_form(files)
        model = CompiledModel(form)
    except NotCompiledError as why:
        return Compiled({}, Parity(accepted=False, reason=str(why)))
    except _BROKEN as error:
        # A library whose insides are not as we know them; the estimator itself goes on answering.
        reason = f"It cannot be translated: {type(error).__name__}: {error}"
        return Compiled({}, Parity(accepted=False, reason=reason))
    parity = check_parity(model, fitted, fitted.contract, reference, examples, form)
    return Compiled(files if parity.accepted else {}, parity, form)
