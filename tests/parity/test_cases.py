"""The reference cases in tests/data: tensors of the authors' own code."""

import pytest

from tests.fakes.golden import DATA, pipeline
from tests.parity.cases import cases_in
from tests.parity.runner import outcomes

CASES = [(method, case) for method in ("osediff", "s3diff") for case in cases_in(DATA / method)]


@pytest.mark.parametrize(("method", "case"), CASES, ids=[f"{m}-{c.name}" for m, c in CASES])
def test_every_tensor_agrees_with_the_authors_code(method, case):
    found = list(outcomes(pipeline(method), case))
    assert {"final", "lq_latent", "model_pred", "denoised", "decoded"} <= {o.tensor for o in found}
    assert [o for o in found if not o.passed] == []
