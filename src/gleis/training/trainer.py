"""Dataset version to fitted model, rule and evidence, each step kept under what it depends on."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import polars as pl

from gleis.config.durations import parse_share
from gleis.config.settings import Settings
from gleis.contracts.dataset import DatasetVersion
from gleis.contracts.errors import GleisError, ProjectError
from gleis.contracts.evidence import Evidence, Parity
from gleis.contracts.ports import ArtifactStore, Model
from gleis.contracts.profile import Reference
from gleis.contracts.version import VERSION
from gleis.data.module import ProjectModule, open_module
from gleis.data.reviews import reviewed_note
from gleis.evidence.examine import examine
from gleis.packaging.compiled.form import decode_form
from gleis.packaging.compiled.make import compile_model
from gleis.packaging.compiled.model import CompiledModel
from gleis.packaging.estimator import SklearnModel, dump_estimator
from gleis.packaging.examples import Examples
from gleis.packaging.fitted import read_fitted
from gleis.packaging.foreign.opened import Opened
from gleis.packaging.onnx_form import export_onnx, onnx_converts
from gleis.packaging.onnx_model import OnnxModel
from gleis.packaging.rule import Rule, RuleModel
from gleis.training.cache import StepCache, key_of
from gleis.training.keys import fit_key, function_code, module_code, rule_key
from gleis.training.material import Material
from gleis.training.mitigate import buildable, mitigate, refuse_adopted
from gleis.training.prepare import Prepared, prepare
from gleis.training.reference import make_background, make_examples, make_outliers, make_reference
from gleis.training.results import CompiledForm, Examined, Fitted, Ruled
from gleis.training.rule import make_rule
from gleis.training.sections.registered import sections_for
from gleis.training.seeds import derive_seed, seed_estimator
from gleis.training.served import served_contract
from gleis.training.weighted_fit import fit_weights

if TYPE_CHECKING:
    from gleis.contracts.ports import Scores


class Trainer:
    """The steps of a run. Nothing is computed twice for the same inputs.

    Parameters
    ----------
    folder : Path
        The project folder.
    settings : Settings
    artifacts : ArtifactStore
    cache : StepCache
    read : callable (DatasetVersion) -> polars.DataFrame
        Reads a dataset version.
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        artifacts: ArtifactStore,
        cache: StepCache,
        read: Callable[[DatasetVersion], pl.DataFrame],
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.artifacts = artifacts
        self.cache = cache
        self._read = read
        self._prepared: tuple[str, Prepared] | None = None
        self.imported: tuple[str, ProjectModule] | None = None
        """The module and the hash of its code, once it was needed. Handed to another trainer of
        the project, what it keeps in memory, such as a table it has read, is there once."""
        self._fresh: tuple[str, SklearnModel] | None = None

    @property
    def module(self) -> ProjectModule:
        """The project's module, imported when a step first needs it, and anew once it changed.

        Keys are hashes of the source on disk; in a process that runs for weeks the code that
        makes a result must be that source too.
        """
        code = module_code(self.folder, self.settings)
        if self.imported is None or self.imported[0] != code:
            self.imported = (code, open_module(self.folder, self.settings.project.module))
        return self.imported[1]

    def prepare(self, dataset: DatasetVersion) -> Prepared:
        """Return the dataset made ready; read once for all steps that follow."""
        joined = dataset.provenance.features
        key = dataset.content if joined is None else key_of(rows=dataset.content, served=joined)
        if self._prepared is None or self._prepared[0] != key:
            prepared = prepare(self._read(dataset), self.settings, reviewed_note(dataset))
            contract = served_contract(prepared.contract, dataset, self.folder)
            self._prepared = (key, replace(prepared, contract=contract))
        return self._prepared[1]

    def fit(self, dataset: DatasetVersion) -> Fitted:
        """Fit ``build_model`` on the training rows."""
        key = fit_key(self.folder, self.settings, dataset)
        return self.cache.step("fit", key, Fitted, lambda: self._fit(key, dataset))

    def rule(self, dataset: DatasetVersion) -> Ruled:
        """Tabulate ``baseline`` on the dataset."""
        key = rule_key(self.folder, self.settings, dataset)
        return self.cache.step("baseline", key, Ruled, lambda: self._rule(key, dataset))

    def examine(self, dataset: DatasetVersion, fitted: Fitted | Ruled, ruled: Ruled) -> Examined:
        """Measure on the test rows, beside the baseline."""
        key = key_of(
            fitted=fitted.key,
            ruled=ruled.key,
            evidence=self.settings.evidence,
            season=self.settings.monitor.season,
            gleis=VERSION,
        )
        return self.cache.step(
            "examine", key, Examined, lambda: self._examine(key, dataset, fitted, ruled)
        )

    def adopt(
        self, dataset: DatasetVersion, opened: Opened, source: str, notes: tuple[str, ...]
    ) -> Fitted:
        """Take a model that was fitted elsewhere, in place of a fit.

        Parameters
        ----------
        dataset : DatasetVersion
            Its test rows are answered.
        opened : Opened
        source : str
            SHA-256 of the file it came from.
        notes : tuple of str
            What its evidence must say beside the figures.
        """
        refuse_adopted(self.settings)
        prepared = self.prepare(dataset)
        code = function_code(self.folder, self.settings, "build_model")
        model = read_fitted(
            opened.estimator,
            prepared.contract,
            trusted=opened.trusted,
            frame=opened.frame,
            layout=opened.layout,
        )
        test = SklearnModel.frame(prepared.part(prepared.split.test), prepared.contract)
        return Fitted(
            adopted=source,
            key=key_of(step="adopt", source=source, content=dataset.content, gleis=VERSION),
            code=code,
            estimator=self.artifacts.put(opened.estimator),
            trusted=opened.trusted,
            frame=opened.frame,
            layout=opened.layout,
            scores=self.put_scores(model.predict(_columns(test))),
            contract=prepared.contract,
            seeds={"bootstrap": derive_seed(self.settings.seed, "bootstrap")},
            train_rows=len(prepared.split.train),
            test_rows=len(prepared.split.test),
            notes=(*notes, *prepared.notes),
        )

    def compile(self, fitted: Fitted, examined: Examined) -> CompiledForm:
        """Compile the fitted model, and hold the form against it."""
        key = key_of(fitted=fitted.key, step="compile", gleis=VERSION)
        return self.cache.step(
            "compile", key, CompiledForm, lambda: self._compile(key, fitted, examined)
        )

    def deepen(
        self,
        evidence: Evidence,
        dataset: DatasetVersion,
        fitted: Fitted | Ruled,
        ruled: Ruled,
        form: CompiledForm | None,
        only: Collection[str] | None = None,
    ) -> Evidence:
        """Add what takes more than scores: fairness, robustness, leakage, simpler models.

        Each section is kept under what it depends on.

        Parameters
        ----------
        evidence : Evidence
            As ``examine`` made it.
        dataset : DatasetVersion
        fitted, ruled : Fitted or Ruled, Ruled
        form : CompiledForm, optional
            Answers in the estimator's place if it was accepted: rows cost microseconds.
        only : collection of str, optional
            Names of the sections to add; by default all.
        """

        def gather() -> Material:
            return self._material(dataset, fitted, ruled, form)

        found = {
            each.name: self.cache.step(
                each.name, each.key(fitted, self.settings), each.kind, partial(each.find_in, gather)
            )
            for each in sections_for(fitted)
            if only is None or each.name in only
        }
        return msgspec.structs.replace(evidence, **found)

    def _material(
        self,
        dataset: DatasetVersion,
        fitted: Fitted | Ruled,
        ruled: Ruled,
        form: CompiledForm | None,
    ) -> Material:
        if isinstance(fitted, Ruled):
            model: Model = RuleModel(self.read_rule(fitted), fitted.contract)
        elif form is not None and form.parity.accepted:
            files = {name: self.artifacts.get(digest) for name, digest in form.files.items()}
            model = CompiledModel(decode_form(files))
        else:
            fresh = self._fresh
            held = fresh is not None and fresh[0] == fitted.estimator
            model = fresh[1] if fresh is not None and held else self.estimator(fitted)
        trainable = isinstance(fitted, Fitted) and fitted.layout is None
        prepared = self.prepare(dataset)
        return Material(
            settings=self.settings,
            prepared=prepared,
            model=model,
            scores=self.scores(fitted),
            baseline_scores=None if isinstance(fitted, Ruled) else self.scores(ruled),
            build=buildable(self.build, self.settings, prepared.contract) if trainable else None,
            seed=derive_seed(self.settings.seed, "bootstrap"),
        )

    def build(self) -> Any:
        """Return the estimator of ``build_model``, seeded and unfitted."""
        estimator = self._build()
        seed_estimator(estimator, self.settings.seed)
        return estimator

    def _compile(self, key: str, fitted: Fitted, examined: Examined) -> CompiledForm:
        fresh = self._fresh
        model = fresh[1] if fresh and fresh[0] == fitted.estimator else self.estimator(fitted)
        if isinstance(model, OnnxModel):
            parity = Parity(accepted=False, reason="it came as ONNX.")
            return CompiledForm(key=key, files={}, parity=parity)
        reference = msgspec.json.decode(self.artifacts.get(examined.reference), type=Reference)
        examples = msgspec.json.decode(self.artifacts.get(examined.examples), type=Examples)
        compiled = compile_model(model, reference, examples)
        contents, onnx = compiled.files, None
        if not compiled.parity.accepted and onnx_converts():
            contents, onnx = export_onnx(model, reference, examples, compiled.form)
        files = {name: self.artifacts.put(content) for name, content in contents.items()}
        return CompiledForm(key=key, files=files, parity=compiled.parity, onnx=onnx)

    def _fit(self, key: str, dataset: DatasetVersion) -> Fitted:
        prepared = self.prepare(dataset)
        code = function_code(self.folder, self.settings, "build_model")
        estimator = self._build()
        seeds = seed_estimator(estimator, self.settings.seed)
        seeds["split"] = derive_seed(self.settings.seed, "split")
        seeds["bootstrap"] = derive_seed(self.settings.seed, "bootstrap")
        train, test = prepared.split.train, prepared.split.test
        features = SklearnModel.frame(prepared.features, prepared.contract)
        notes = prepared.notes
        try:
            if self.settings.fairness.mitigate is None:
                weighted = fit_weights(estimator, prepared)
                estimator.fit(features[train], prepared.target[train], **weighted)
            else:
                made = mitigate(
                    estimator,
                    self.settings,
                    prepared.contract,
                    prepared.part(train),
                    features[train],
                    prepared.target[train],
                )
                estimator, notes = made.estimator, (*notes, *made.notes)
                seeds["mitigation"] = derive_seed(self.settings.seed, "mitigation")
        except GleisError:
            raise
        except Exception as error:
            raise ProjectError(
                f"the estimator's fit() raised {type(error).__name__}: {error}",
                remedy="Encode text columns and impute missing values inside build_model().",
                field="build_model",
            ) from error
        content, trusted = dump_estimator(estimator)
        model = SklearnModel(estimator, prepared.contract)
        digest = self.artifacts.put(content)
        self._fresh = (digest, model)
        return Fitted(
            key=key,
            code=code,
            estimator=digest,
            trusted=trusted,
            scores=self.put_scores(model.predict(_columns(features[test]))),
            contract=prepared.contract,
            seeds=seeds,
            train_rows=len(train),
            test_rows=len(test),
            notes=notes,
        )

    def _build(self) -> Any:
        try:
            estimator = self.module.build_model(dict(self.settings.params))
        except ProjectError as error:
            if error.__cause__ is None:  # not of a slip in the code: it says itself what to do
                raise
            raise ProjectError(
                error.what,
                seen=dict(self.settings.params),
                remedy="[params] of gleis.toml is handed over as it is; check names and values.",
                field="build_model",
            ) from error
        if not hasattr(estimator, "fit") or not hasattr(estimator, "get_params"):
            raise ProjectError(
                "build_model() must return an unfitted scikit-learn estimator",
                seen=type(estimator).__name__,
                remedy="Return one, such as make_pipeline(StandardScaler(), Ridge(**params)).",
                field="build_model",
            )
        return estimator

    def _rule(self, key: str, dataset: DatasetVersion) -> Ruled:
        prepared = self.prepare(dataset)
        rule = make_rule(self.module, prepared)
        test = prepared.features[prepared.split.test]
        scores = RuleModel(rule, prepared.contract).predict(_columns(test))
        return Ruled(
            key=key,
            code=function_code(self.folder, self.settings, "baseline"),
            rule=self.artifacts.put(msgspec.json.encode(rule)),
            scores=self.put_scores(scores),
            contract=prepared.contract,
            train_rows=len(prepared.split.train),
            test_rows=len(prepared.split.test),
            notes=prepared.notes,
        )

    def _examine(
        self, key: str, dataset: DatasetVersion, fitted: Fitted | Ruled, ruled: Ruled
    ) -> Examined:
        prepared = self.prepare(dataset)
        test = prepared.split.test
        scores, target = self.scores(fitted), prepared.target[test]
        evidence = examine(
            target,
            scores,
            None if isinstance(fitted, Ruled) else self.scores(ruled),
            prepared.part(test),
            prepared.contract,
            self.settings.evidence,
            derive_seed(self.settings.seed, "bootstrap"),
            fitted.notes,
            prepared.test_groups,
            prepared.test_weights,
        )
        reference = make_reference(prepared, scores, self.settings.monitor.season)
        examples = make_examples(prepared, scores)
        rate = parse_share(self.settings.evidence.outliers, "evidence.outliers")
        outliers = make_outliers(
            prepared,
            rate,
            self.settings.evidence.outlier_method,
            derive_seed(self.settings.seed, "outliers"),
        )
        background = make_background(prepared, derive_seed(self.settings.seed, "background"))
        return Examined(
            key=key,
            evidence=evidence,
            reference=self.artifacts.put(msgspec.json.encode(reference)),
            examples=self.artifacts.put(msgspec.json.encode(examples)),
            outliers=self.artifacts.put(msgspec.json.encode(outliers)),
            background=self.artifacts.put(msgspec.json.encode(background)),
        )

    def scores(self, result: Fitted | Ruled) -> Scores:
        """Return the test scores of a step."""
        loaded: Scores = np.load(io.BytesIO(self.artifacts.get(result.scores)), allow_pickle=False)
        return loaded

    def estimator(self, fitted: Fitted) -> SklearnModel | OnnxModel:
        """Return the fitted model, loaded from its artifact."""
        return read_fitted(
            self.artifacts.get(fitted.estimator),
            fitted.contract,
            trusted=fitted.trusted,
            frame=fitted.frame,
            layout=fitted.layout,
        )

    def read_rule(self, ruled: Ruled) -> Rule:
        """Return the rule, loaded from its artifact."""
        rule: Rule = msgspec.json.decode(self.artifacts.get(ruled.rule), type=Rule)
        return rule

    def put_scores(self, scores: Scores) -> str:
        """Store scores as .npy and return the artifact."""
        buffer = io.BytesIO()
        np.save(buffer, scores, allow_pickle=False)
        return self.artifacts.put(buffer.getvalue())


def _columns(frame: pl.DataFrame) -> dict[str, Any]:
    return {name: frame[name] for name in frame.columns}
