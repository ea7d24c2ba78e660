"""The reference cases in tests/data: tensors of the authors' own code."""

import pytest

from tests.fakes.golden import DATA, pipeline
from tests.parity import dape, faithdiff, faithdiff_units
from tests.parity.cases import cases_in
from tests.parity.runner import outcomes

CASES = [(method, case) for method in ("osediff", "s3diff") for case in cases_in(DATA / method)]
FAITHDIFF = cases_in(DATA / "faithdiff")


@pytest.mark.parametrize(("method", "case"), CASES, ids=[f"{m}-{c.name}" for m, c in CASES])
def test_every_tensor_agrees_with_the_authors_code(method, case):
    found = list(outcomes(pipeline(method), case))
    assert {"final", "lq_latent", "model_pred", "denoised", "decoded"} <= {o.tensor for o in found}
    assert [o for o in found if not o.passed] == []


@pytest.mark.parametrize("case", FAITHDIFF, ids=[case.name for case in FAITHDIFF])
def test_every_tensor_of_faithdiff_agrees_with_the_authors_code(case):
    found = list(faithdiff.outcomes(pipeline("faithdiff"), case))
    assert {"final_u8", "noise_pred_step0", "latents_steps", "decoded"} <= {o.tensor for o in found}
    assert [o for o in found if not o.passed] == []


@pytest.mark.parametrize("unit", faithdiff_units.UNITS)
def test_single_functions_of_faithdiff_agree_with_the_authors_code(unit, tmp_path):
    (tmp_path / unit).write_bytes((DATA / "faithdiff" / "units" / unit).read_bytes())
    found = list(faithdiff_units.outcomes(tmp_path, pipeline("faithdiff")))
    assert found
    assert [o for o in found if not o.passed] == []


def test_the_tagger_agrees_with_the_authors_code():
    found = dict(dape.run(DATA / "dape"))
    assert {"images/square", "tiny/square", "tiny/square_no_lora"} <= found.keys()
    assert {name: [o for o in outcomes if not o.passed] for name, outcomes in found.items() if outcomes} == {
        name: [] for name in found
    }
