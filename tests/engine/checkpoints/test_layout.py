"""Keys and shapes derived from configurations, against the authors' own files and manifests."""

import gzip
import json
import math

import pytest

from safelight.engine.checkpoints import layout
from safelight.engine.networks import ram
from safelight.errors import InvalidRequest, NotReady
from tests.engine.checkpoints.conftest import DATA
from tests.fakes import sdxl

MANIFESTS = {
    "osediff": DATA / "osediff" / "full_size_osediff.pkl.manifest.json.gz",
    "s3diff": DATA / "s3diff" / "full_size_s3diff.pkl.manifest.json.gz",
}


def manifest(kind):
    return json.loads(gzip.decompress(MANIFESTS[kind].read_bytes()))["content"]


def flattened(content, prefix=""):
    """Name -> shape of every tensor in a manifest."""
    shapes = {}
    for name, value in content.items():
        if isinstance(value, dict) and "shape" in value:
            shapes[prefix + name] = tuple(value["shape"])
        elif isinstance(value, dict):
            shapes |= flattened(value, f"{prefix}{name}/")
    return shapes


@pytest.fixture(scope="module")
def real_base(tmp_path_factory):
    """A folder with the configurations of the real SD 2.1-base, which SD-Turbo shares."""
    path = DATA / "osediff" / "full_size_sd21_base.manifest.json.gz"
    configs = json.loads(gzip.decompress(path.read_bytes()))["configs"]
    base = tmp_path_factory.mktemp("base")
    for part in ("unet", "vae"):
        (base / part).mkdir()
        (base / part / "config.json").write_text(json.dumps(configs[part]))
    return base


@pytest.mark.parametrize(("kind", "count"), [("osediff", 582), ("s3diff", 593)])
def test_real_configurations_give_the_authors_manifest(kind, count, real_base):
    wanted = manifest(kind)
    ranks = {"rank_unet": str(wanted["rank_unet"]), "rank_vae": str(wanted["rank_vae"])}
    derived = layout.expected_shapes(kind, ranks, real_base)
    assert len(derived) == count
    assert derived == flattened(wanted)


def test_estimator_equals_the_authors_manifest():
    path = DATA / "s3diff" / "full_size_de_net.pth.manifest.json"
    assert layout.expected_shapes("de_net", {}, None) == flattened(json.loads(path.read_text())["content"])


def test_the_real_sdxl_configuration_gives_the_authors_faithdiff_layout(tmp_path):
    path = DATA / "faithdiff" / "full_size_faithdiff.bin.layout.json.gz"
    given = json.loads(gzip.decompress(path.read_bytes()))
    wanted = {k: tuple(v) for part in (given["core_unet"], *given["extra"].values()) for k, v in part.items()}
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "config.json").write_text(json.dumps(sdxl.UNET))
    derived = layout.expected_shapes("faithdiff", {}, tmp_path)
    assert len(derived) == 1814
    assert derived == wanted


def test_real_sizes_give_the_authors_tagger():
    path = DATA / "dape" / "full_size.manifest.json.gz"
    given = {name: flat(found) for name, found in json.loads(gzip.decompress(path.read_bytes())).items()}
    assert ram.official_shapes(ram.TaggerSizes.of(given["ram"])) == given["ram"]
    assert ram.lora_shapes(given["ram"], 8) == given["dape"]


def flat(shapes):
    return {name: tuple(shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("rank", [1, 7, 64])
def test_ranks_of_the_file_set_the_shapes(rank, real_base):
    shapes = layout.expected_shapes("osediff", {"rank_unet": str(rank), "rank_vae": "4"}, real_base)
    assert shapes["state_dict_unet/conv_in.lora_A.default_encoder.weight"] == (rank, 4, 3, 3)
    assert shapes["state_dict_vae/quant_conv.lora_A.default_encoder.weight"] == (4, 8, 1, 1)


@pytest.mark.parametrize("text", ["", "0", "-4", "4.0", "1e3", "1025", "9" * 5000])
def test_rank_that_is_no_rank_is_refused(text):
    with pytest.raises(InvalidRequest) as caught:
        layout.rank({"rank_unet": text}, "rank_unet")
    assert caught.value.reason == "CHECKPOINT_FOREIGN"


def sparse(path, shapes):
    """A safetensors file of these shapes in half precision, all zeros, that takes no room."""
    header, end = {}, 0
    for name, shape in shapes.items():
        start, end = end, end + 2 * math.prod(shape)
        header[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    with path.open("r+b") as file:
        file.truncate(8 + len(text) + end)
    return path


BASE = DATA / "faithdiff" / "weights" / "sdxl"
EXTRA = ("denoise_encoder.", "information_transformer_layes.", "condition_embedding.", "spatial_ch_projs.")
FAITHDIFF_CHANGES = {
    "no UNet": (lambda name: name.startswith(EXTRA), {}, "lacks 618 tensors"),
    "one tensor short": (lambda name: name != "conv_out.bias", {}, "lacks 1 tensors such as conv_out.bias"),
    "one too many": (
        lambda name: True,
        {"agg_net.0.weight": (4, 4)},
        "unknown tensors such as agg_net.0.weight",
    ),
    "of another base": (
        lambda name: True,
        {"conv_out.weight": (8, 320, 3, 3)},
        "conv_out.weight is 8x320x3x3",
    ),
}


@pytest.mark.parametrize(("kept", "more", "said"), FAITHDIFF_CHANGES.values(), ids=FAITHDIFF_CHANGES)
def test_a_faithdiff_file_must_hold_the_whole_unet_and_nothing_else(tmp_path, kept, more, said):
    shapes = layout.expected_shapes("faithdiff", {}, BASE)
    path = sparse(tmp_path / "f.safetensors", {name: s for name, s in shapes.items() if kept(name)} | more)
    with pytest.raises(InvalidRequest, match=said) as caught:
        layout.check_layout(path, "faithdiff", BASE)
    assert caught.value.reason == "CHECKPOINT_FOREIGN"


def test_a_faithdiff_file_as_the_authors_save_it_is_taken(tmp_path):
    path = sparse(tmp_path / "f.safetensors", layout.expected_shapes("faithdiff", {}, BASE))
    layout.check_layout(path, "faithdiff", BASE)


DIFFERENCES = {
    "missing": ({"a": (1,)}, {"a": (1,), "b": (2,)}, "lacks 1 tensors such as b"),
    "unknown": ({"a": (1,), "c": (2,)}, {"a": (1,)}, "1 unknown tensors such as c"),
    "other shape": ({"a": (2, 3)}, {"a": (3, 2)}, "a is 2x3, not 3x2"),
}


@pytest.mark.parametrize(("found", "wanted", "said"), DIFFERENCES.values(), ids=DIFFERENCES)
def test_difference_is_named(found, wanted, said):
    with pytest.raises(InvalidRequest, match=said):
        layout.compare(found, wanted, "x.pkl is not it")


@pytest.mark.parametrize("text", [None, "", "[]", "{}", "\x00"])
def test_base_without_configuration_is_damaged(tmp_path, text):
    (tmp_path / "unet").mkdir()
    if text is not None:
        (tmp_path / "unet" / "config.json").write_text(text)
    with pytest.raises(NotReady) as caught:
        layout.base_layers(tmp_path)
    assert caught.value.reason == "CHECKPOINT_DAMAGED"
