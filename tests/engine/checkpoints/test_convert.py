"""Official files become safetensors; whatever else is given becomes one sentence."""

import json
import os
import pickle
import zipfile
from collections import OrderedDict

import pytest
import torch

from safelight.engine.checkpoints.convert import convert_official, read_converted
from safelight.engine.checkpoints.layout import check_layout
from safelight.engine.checkpoints.official import FORMATS
from safelight.engine.checkpoints.unpickle import Problem, convert
from safelight.errors import InvalidRequest, NotReady, TooMuch
from tests.engine.checkpoints.conftest import DATA, DE_NET_PTH, OSEDIFF_PKL, S3DIFF_PKL
from tests.fakes import tagger, tagger_rule

GOLDEN = {
    "osediff": (OSEDIFF_PKL, "osediff"),
    "s3diff": (S3DIFF_PKL, "s3diff"),
    "de_net": (DE_NET_PTH, "s3diff"),
}
BYTES_MOST = 1 << 30


def official():
    """The content of the tiny osediff.pkl, to be spoilt."""
    return torch.load(OSEDIFF_PKL, weights_only=True)


@pytest.mark.parametrize("kind", GOLDEN)
def test_golden_file_converts_and_fits_its_base(kind, tmp_path):
    source, base = GOLDEN[kind]
    target = tmp_path / "out.safetensors"
    convert(FORMATS[kind], source, target, BYTES_MOST)
    check_layout(target, kind, DATA / base / "base")


def test_process_gives_what_the_reader_gives(tmp_path):
    there, here = tmp_path / "there.safetensors", tmp_path / "here.safetensors"
    convert_official(DE_NET_PTH, there, "de_net")
    convert(FORMATS["de_net"], DE_NET_PTH, here, BYTES_MOST)
    assert there.read_bytes() == here.read_bytes()
    assert sorted(tmp_path.iterdir()) == [here, there]


def test_values_are_the_files_own(tmp_path):
    target = tmp_path / "out.safetensors"
    convert(FORMATS["osediff"], OSEDIFF_PKL, target, BYTES_MOST)
    tensors, values = read_converted(target)
    wanted = official()
    assert json.loads(values["rank_unet"]) == wanted["rank_unet"] == 4
    assert json.loads(values["vae_lora_encoder_modules"]) == wanted["vae_lora_encoder_modules"]
    for part in ("state_dict_unet", "state_dict_vae"):
        for name, tensor in wanted[part].items():
            assert torch.equal(tensors[f"{part}/{name}"], tensor)
    assert len(tensors) == len(wanted["state_dict_unet"]) + len(wanted["state_dict_vae"])


def test_same_file_gives_the_same_bytes(tmp_path):
    targets = [tmp_path / f"{i}.safetensors" for i in range(4)]
    for target in targets:
        convert(FORMATS["osediff"], OSEDIFF_PKL, target, BYTES_MOST)
    assert len({target.read_bytes() for target in targets}) == 1
    assert read_converted(targets[0])[1].keys() == FORMATS["osediff"].numbers | FORMATS["osediff"].lists


def test_nested_dictionaries_and_parameters_are_read(tmp_path):
    target = tmp_path / "out.safetensors"
    convert(FORMATS["s3diff"], S3DIFF_PKL, target, BYTES_MOST)
    tensors, _ = read_converted(target)
    assert tensors["state_embeddings/state_dict_unet_block/weight"].shape == (10, 64)
    assert tensors["w"].shape == (64,)


def test_of_ram_only_what_tags_need_is_kept(tmp_path):
    """Buffers of whole numbers, text networks and whatever a training script left beside the model."""
    content = {
        name: torch.ones(shape)
        for name, shape in tagger_rule.shapes_of(tagger.TINY / "manifest.json", "ram").items()
    }
    content["visual_encoder.layers.0.blocks.0.attn.relative_position_index"] = torch.ones(
        4, dtype=torch.int64
    )
    content["text_decoder.cls.predictions.bias"] = torch.ones(3)
    torch.save(
        {"model": content, "optimizer": {"state": {0: {"step": 3}}}, "epoch": None}, tmp_path / "ram.pth"
    )
    convert(FORMATS["ram"], tmp_path / "ram.pth", tmp_path / "ram.safetensors", BYTES_MOST)
    check_layout(tmp_path / "ram.safetensors", "ram", None)
    assert not [
        name
        for name in read_converted(tmp_path / "ram.safetensors")[0]
        if "text" in name or "tag_enc" in name
    ]
    torch.save({"optimizer": {}}, tmp_path / "ram.pth")
    with pytest.raises(Problem, match="lacks model"):
        convert(FORMATS["ram"], tmp_path / "ram.pth", tmp_path / "ram.safetensors", BYTES_MOST)


class Attack:
    """Runs a command when it is unpickled."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def attack_in_zip(path, marker):
    torch.save({**official(), "rank_unet": Attack(f"touch {marker}")}, path)


def attack_as_raw_pickle(path, marker):
    path.write_bytes(pickle.dumps(Attack(f"touch {marker}")))


@pytest.mark.parametrize("attack", [attack_in_zip, attack_as_raw_pickle])
def test_code_in_a_file_is_not_run(attack, tmp_path):
    source, marker, target = tmp_path / "osediff.pkl", tmp_path / "marker", tmp_path / "out.safetensors"
    attack(source, marker)
    with pytest.raises(NotReady) as caught:
        convert_official(source, target, "osediff")
    assert caught.value.reason == "CHECKPOINT_DAMAGED"
    assert "weights_only" not in caught.value.message
    assert not marker.exists()
    assert not target.exists()
    assert sorted(tmp_path.iterdir()) == [source]


def write_nothing(path):
    path.write_bytes(b"")


def write_noise(path):
    path.write_bytes(bytes(range(256)) * 40)


def write_truncated(path):
    path.write_bytes(OSEDIFF_PKL.read_bytes()[:-30_000])


def write_without_pickle(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("osediff/version", "3")


def write_cut_storage(path):
    """A sound zip in which one tensor's bytes are too few."""
    with zipfile.ZipFile(OSEDIFF_PKL) as source, zipfile.ZipFile(path, "w") as target:
        for entry in source.infolist():
            data = source.read(entry)
            target.writestr(entry.filename, data[:4] if entry.filename.endswith("data/3") else data)


def write_unpacking_bomb(path):
    """A few megabytes that unpack to half a gigabyte."""
    zeros = bytes(1 << 24)
    archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
    with archive, archive.open("osediff/data/0", "w", force_zip64=True) as entry:
        for _ in range(33):
            entry.write(zeros)


def write_claim_of_terabytes(path):
    """One number, spread over 10^12 by a stride of 0."""
    content = official()
    name = next(iter(content["state_dict_unet"]))
    content["state_dict_unet"][name] = torch.zeros(1).expand(10**6, 10**6)
    torch.save(content, path)


def write_not_a_number(path):
    content = official()
    name = next(iter(content["state_dict_unet"]))
    content["state_dict_unet"][name][0] = float("nan")
    torch.save(content, path)


def write_flipped_bit(path):
    data = bytearray(OSEDIFF_PKL.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGED = {
    "flipped bit": (write_flipped_bit, "damaged"),
    "empty": (write_nothing, "damaged"),
    "noise": (write_noise, "damaged"),
    "truncated": (write_truncated, "damaged"),
    "zip without a pickle": (write_without_pickle, "damaged"),
    "cut storage": (write_cut_storage, "damaged"),
    "unpacking bomb": (write_unpacking_bomb, "too-large"),
    "claim of terabytes": (write_claim_of_terabytes, "too-large"),
    "not a number": (write_not_a_number, "not-finite"),
}


@pytest.mark.parametrize(("write", "problem"), DAMAGED.values(), ids=DAMAGED)
def test_damaged_file_is_a_problem_by_name(write, problem, tmp_path):
    source, target = tmp_path / "osediff.pkl", tmp_path / "out.safetensors"
    write(source)
    with pytest.raises(Problem) as caught:
        convert(FORMATS["osediff"], source, target, BYTES_MOST)
    assert caught.value.problem == problem
    assert not target.exists()


def without_a_rank(content):
    del content["rank_vae"]


def with_an_optimiser(content):
    content["optimizer"] = {"lr": 1e-4}


def with_a_rank_of_zero(content):
    content["rank_unet"] = 0


def with_whole_numbers(content):
    content["state_dict_unet"]["conv_in.base_layer.bias"] = torch.zeros(32, dtype=torch.int64)


def with_a_sparse_tensor(content):
    content["state_dict_unet"]["conv_in.base_layer.bias"] = torch.zeros(32).to_sparse()


def with_a_slash_in_a_key(content):
    content["state_dict_unet"]["a/b"] = torch.zeros(1)


def with_deep_nesting(content):
    content["state_dict_unet"]["a"] = {"b": {"c": {"d": torch.zeros(1)}}}


FOREIGN = [
    without_a_rank, with_an_optimiser, with_a_rank_of_zero, with_whole_numbers, with_a_sparse_tensor,
    with_a_slash_in_a_key, with_deep_nesting,
]  # fmt: skip


@pytest.mark.parametrize("spoil", FOREIGN, ids=lambda spoil: spoil.__name__)
def test_foreign_content_is_refused(spoil, tmp_path):
    source, target = tmp_path / "osediff.pkl", tmp_path / "out.safetensors"
    content = official()
    spoil(content)
    torch.save(content, source)
    with pytest.raises(Problem) as caught:
        convert(FORMATS["osediff"], source, target, BYTES_MOST)
    assert caught.value.problem in ("foreign", "damaged", "unsafe")
    assert not target.exists()


def test_renamed_file_is_told_apart(tmp_path):
    renamed = tmp_path / "osediff.pkl"
    renamed.write_bytes(DE_NET_PTH.read_bytes())
    with pytest.raises(InvalidRequest, match=r"osediff\.pkl is not an OSEDiff checkpoint \(it lacks"):
        convert_official(renamed, tmp_path / "out.safetensors", "osediff")


def test_osediff_file_is_no_estimator(tmp_path):
    with pytest.raises(Problem) as caught:
        convert(FORMATS["de_net"], OSEDIFF_PKL, tmp_path / "out.safetensors", BYTES_MOST)
    assert caught.value.problem == "foreign"


def spoilt(tmp_path, spoil):
    content = official()
    spoil(content)
    source, target = tmp_path / "osediff.pkl", tmp_path / "out.safetensors"
    torch.save(content, source)
    convert(FORMATS["osediff"], source, target, BYTES_MOST)
    return target


def less_one_tensor(content):
    content["state_dict_vae"].popitem()


def more_one_tensor(content):
    content["state_dict_vae"]["decoder.conv_in.lora_A.default_encoder.weight"] = torch.zeros(4, 4, 3, 3)


def another_shape(content):
    content["state_dict_unet"]["conv_in.base_layer.weight"] = torch.zeros(32, 8, 3, 3)


def another_rank(content):
    content["rank_unet"] = 8


def another_list(content):
    content["unet_lora_others_modules"] = content["unet_lora_others_modules"][1:]


@pytest.mark.parametrize(
    "spoil", [less_one_tensor, more_one_tensor, another_shape, another_rank, another_list],
    ids=lambda spoil: spoil.__name__,
)  # fmt: skip
def test_file_that_does_not_fit_the_base_is_refused(spoil, tmp_path):
    target = spoilt(tmp_path, spoil)
    with pytest.raises(InvalidRequest) as caught:
        check_layout(
            target, "osediff", DATA / "osediff" / "base", called="osediff.pkl", base_called="sd21-base"
        )
    assert caught.value.reason == "CHECKPOINT_FOREIGN"
    assert caught.value.message.startswith("osediff.pkl is not an OSEDiff checkpoint for sd21-base: ")


def test_file_for_another_base_is_refused(tmp_path):
    target = spoilt(tmp_path, lambda content: None)
    with pytest.raises(InvalidRequest, match="not"):
        check_layout(target, "osediff", DATA / "s3diff" / "base")


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(InvalidRequest, match=r"absent\.pkl cannot be read"):
        convert_official(tmp_path / "absent.pkl", tmp_path / "out.safetensors", "osediff")


def test_stalling_reader_is_ended(tmp_path):
    source = tmp_path / "osediff.pkl"
    source.write_bytes(OSEDIFF_PKL.read_bytes())
    with pytest.raises(NotReady) as caught:
        convert_official(source, tmp_path / "out.safetensors", "osediff", time_limit_s=0.0)
    assert caught.value.reason == "CHECKPOINT_DAMAGED"
    assert list(tmp_path.iterdir()) == [source]


def test_folder_that_cannot_be_written_is_told(tmp_path):
    target = tmp_path / "absent" / "out.safetensors"
    with pytest.raises(TooMuch) as caught:
        convert_official(OSEDIFF_PKL, target, "osediff")
    assert caught.value.reason == "CHECKPOINT_DIR"


def test_tensors_that_share_memory_are_written_apart(tmp_path):
    one = torch.arange(6.0).reshape(2, 3)
    source, target = tmp_path / "de_net.pth", tmp_path / "out.safetensors"
    torch.save(OrderedDict(a=one, b=one[:1], c=one.T), source)
    convert(FORMATS["de_net"], source, target, BYTES_MOST)
    tensors, _ = read_converted(target)
    assert torch.equal(tensors["b"], one[:1])
    assert torch.equal(tensors["c"], one.T)


@pytest.mark.parametrize("cut", [0, 4, 100, -1])
def test_damaged_converted_file_is_refused(cut, tmp_path):
    path = tmp_path / "out.safetensors"
    convert(FORMATS["de_net"], DE_NET_PTH, path, BYTES_MOST)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(NotReady) as caught:
        read_converted(path)
    assert caught.value.reason == "CHECKPOINT_DAMAGED"
