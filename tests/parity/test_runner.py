"""What the runner says and returns."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.fakes.golden import DATA, pipeline
from tests.parity import __main__ as command
from tests.parity.cases import Case, NotGolden, method_of, official_files, restore_settings
from tests.parity.compare import Outcome, compare
from tests.parity.runner import tried

TOLERANCES = {
    "lq_latent": 0.1,
    "decoded": 0.1,
    "decoded_when_stored_fp16": 0.5,
    "input_ids": "identical",
    "lq_u8": "identical",
    "final": {"max_levels": 2, "max_fraction_differing": 0.25},
    "model_pred": 0.1,
}
ONES = torch.ones(4)
GREY = torch.full((2, 2, 1), 100, dtype=torch.uint8)


def changed(*levels):
    return (GREY.int() + torch.tensor([*levels, *[0] * (4 - len(levels))]).view(2, 2, 1)).to(torch.uint8)


COMPARED = {
    "within": ("lq_latent", ONES, ONES + 0.09, True),
    "beyond": ("lq_latent", ONES, ONES + 0.11, False),
    "absent": ("lq_latent", ONES, None, False),
    "another shape": ("lq_latent", ONES, torch.ones(2, 2), False),
    "not a number": ("lq_latent", ONES, ONES * float("nan"), False),
    "nobody knows its tolerance": ("mystery", ONES, ONES, False),
    "empty": ("lq_latent", ONES[:0], ONES[:0], False),
    "stored as fp16": ("decoded", ONES.half(), ONES + 0.3, True),
    "stored as fp32": ("decoded", ONES, ONES + 0.3, False),
    "identical ids": ("input_ids", torch.tensor([1, 2]), torch.tensor([1, 2]), True),
    "another id": ("input_ids", torch.tensor([1, 2]), torch.tensor([1, 3]), False),
    "first tile like the whole": ("pos_pred_tile0", ONES, ONES + 0.05, True),
    "identical picture": ("lq_u8", GREY, GREY, True),
    "picture off by a level": ("lq_u8", GREY, changed(1), False),
    "result off by two levels in a quarter": ("final", GREY, changed(2), True),
    "result off by three levels": ("final", GREY, changed(3), False),
    "result off in half of it": ("final", GREY, changed(1, 1), False),
}


@pytest.mark.parametrize(("name", "expected", "found", "passed"), COMPARED.values(), ids=COMPARED)
def test_a_tensor_passes_when_it_is_within_its_tolerance(name, expected, found, passed):
    assert compare(name, expected, found, TOLERANCES).passed is passed


def folder_with(path, *files):
    for file in files:
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        (path / file).write_text("{}")
    return path


def test_the_content_says_which_pipeline_it_is(tmp_path):
    assert method_of(folder_with(tmp_path / "any name", "s3diff.pkl", "de_net.pth")) == "s3diff"
    assert method_of(folder_with(tmp_path / "s3diff", "osediff.pkl")) == "osediff"
    shapes = folder_with(tmp_path / "osediff", "weights/shapes.json") / "weights" / "shapes.json"
    shapes.write_text('{"faithdiff": {}}')
    assert method_of(tmp_path / "osediff") == "faithdiff"


def test_renamed_checkpoints_are_known_by_what_they_hold(tmp_path):
    for kind, name in (("s3diff", "one.pth"), ("osediff", "osediff_face.pkl")):
        (tmp_path / kind).mkdir()
        shutil.copyfile(DATA / kind / f"{kind}.pkl", tmp_path / kind / name)
        assert method_of(tmp_path / kind) == kind
        assert official_files(tmp_path / kind) == {kind: tmp_path / kind / name}


def test_a_folder_without_cases_gives_2(tmp_path, capsys):
    assert command.main([str(tmp_path)]) == 2
    assert "cases" in capsys.readouterr().err


def test_a_folder_of_an_unknown_pipeline_gives_2(tmp_path):
    assert command.main([str(folder_with(tmp_path, "cases/01/case.json"))]) == 2
    with pytest.raises(NotGolden):
        method_of(tmp_path)


@pytest.mark.parametrize(("passed", "code"), [(True, 0), (False, 1)])
def test_the_exit_code_says_whether_all_agree(tmp_path, monkeypatch, capsys, passed, code):
    folder_with(tmp_path, "osediff.pkl", "cases/01/case.json")
    monkeypatch.setattr(command, "run", lambda *_: [("01", [Outcome("final", passed)])])
    assert command.main([str(tmp_path)]) == code
    assert ("DIFFERS" in capsys.readouterr().out) is not passed


def test_files_that_no_pipeline_can_be_made_of_give_1(tmp_path, capsys):
    assert command.main([str(folder_with(tmp_path, "osediff.pkl", "cases/01/case.json"))]) == 1
    assert "osediff.pkl" in capsys.readouterr().err


@pytest.fixture
def case(tmp_path):
    """A copy of a reference case."""
    shutil.copytree(DATA / "osediff" / "cases" / "01_single_adain", tmp_path / "01")
    return Case(tmp_path / "01")


def failed(case):
    return {outcome.tensor for outcome in tried(pipeline("osediff"), case) if not outcome.passed}


def test_a_tensor_that_the_reference_lacks_fails(case):
    tensors = load_file(case.folder / "expected.safetensors")
    for name in ("final", "model_pred", "pre_align"):
        del tensors[name]
    save_file(tensors, case.folder / "expected.safetensors")
    assert failed(case) == {"final", "model_pred", "pre_align"}


def test_a_tensor_that_nobody_computes_fails(case):
    tensors = load_file(case.folder / "expected.safetensors")
    save_file({**tensors, "another": torch.ones(2)}, case.folder / "expected.safetensors")
    assert failed(case) == {"another"}


@pytest.mark.parametrize("file", ["case.json", "expected.safetensors", "input.png"])
def test_a_case_without_one_of_its_files_fails(case, file):
    (case.folder / file).unlink()
    assert failed(case) == {"case"}


def test_a_case_may_ask_for_more_than_people_can(case):
    facts = json.loads((case.folder / "case.json").read_text())
    facts["settings"] |= {"vae_decoder_tiled_size": 9999, "process_size": 1, "upscale": 3}
    (case.folder / "case.json").write_text(json.dumps(facts))
    asked = restore_settings(case, pipeline("osediff").spec)
    assert (asked.own["decode_tile"], asked.own["process_size"], asked.output_scale) == (9999, 1, 3)


def test_what_a_case_leaves_out_is_the_authors_default(case):
    (case.folder / "case.json").write_text('{"settings": {}}')
    asked = restore_settings(case, pipeline("osediff").spec)
    assert (asked.output_scale, asked.own["colour_fix"], asked.own["prompt"]) == (4, "adain", ", ,")
