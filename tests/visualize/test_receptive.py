"""Receptive fields and the table of layers, against what the networks do: an input of NaN reaches just its field."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gocnn import policy
from gocnn.conv import ConvBlock
from gocnn.images.lecture import DenseNet, LectureNet
from gocnn.images.squeezenet import Fire, SqueezeNet
from gocnn.visualize.layer_table import layer_table, table_text
from gocnn.visualize.layers import LayerError, recording
from gocnn.visualize.receptive import Field, receptive_fields


def reached(model: nn.Module, layer: str, shape: tuple[int, int, int], axis: int) -> np.ndarray:
    """int [places, 2]: the first line of the image that reaches each place of a map in one direction, and the last."""
    images = torch.zeros(shape[1 + axis], *shape)
    for line, image in enumerate(images):
        image.select(1 + axis, line).fill_(torch.nan)
    with torch.no_grad(), recording(model, layer) as record:
        model(images)
        touched = record.output.isnan().any(1)  # [lines, H', W'], or [lines] of neurons
    by_place = (touched.any(2 - axis) if touched.ndim == 3 else touched[:, None]).numpy()
    return np.stack([by_place.argmax(0), len(images) - 1 - by_place[::-1].argmax(0)], 1)


def expected(field: Field, lines: int, places: int, axis: int) -> np.ndarray:
    start = field.start[axis] + field.step[axis] * np.arange(places)
    return np.stack([start, start + field.size[axis] - 1], 1).clip(0, lines - 1)


class Mixed(nn.Module):
    """Two branches of one stride, a gate that sees the whole image, slices, and shuffled channels."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Conv2d(2, 4, (5, 3), stride=2, padding=(2, 1), dilation=1)
        self.narrow = nn.Conv2d(2, 4, 3, stride=2, padding=1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.gate = nn.Conv2d(4, 4, 1)
        self.cut = nn.Identity()
        self.gated = nn.Identity()
        self.after = nn.Conv2d(4, 2, 2, dilation=2)

    def forward(self, x: Tensor) -> Tensor:
        y = self.wide(x) + torch.cat([half for half in self.narrow(x).chunk(2, 1)], 1)
        y = y.view(-1, 2, 2, *y.shape[2:]).transpose(1, 2).flatten(1, 2)
        gated = self.gated(y * self.gate(self.pool(y)).sigmoid())
        return self.after(self.cut(y[:, :, 1:])), gated.mean((2, 3))  # type: ignore[return-value]


class Strips(nn.Module):
    """To each place something of its whole row is added (Hou et al. 2020, arXiv 2003.13328)."""

    def __init__(self) -> None:
        super().__init__()
        self.before = nn.Conv2d(1, 2, 3)
        self.pool = nn.AdaptiveAvgPool2d((None, 1))
        self.spread = nn.Identity()
        self.together = nn.Identity()
        self.after = nn.Conv2d(2, 1, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.before(x)
        return self.after(self.together(x + self.spread(self.pool(x).expand_as(x))))  # type: ignore[no-any-return]


def seeded(build):
    torch.manual_seed(0)
    return build()


CASES = {
    "lecture": (LectureNet, (1, 28, 28)),
    "go": (lambda: policy.build(policy.PolicyConfig(blocks=2, channels=4), seed=0), (20, 19, 19)),
    "fire": (lambda: nn.Sequential(ConvBlock(3, 4, stride=2, padding="valid"), nn.MaxPool2d(3, 2, ceil_mode=True),
                                   Fire(4, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()), (3, 31, 43)),
    "mixed": (Mixed, (2, 24, 31)),
    "strips": (Strips, (1, 20, 20)),
    "odd": (lambda: nn.Sequential(nn.Conv2d(1, 2, 4, padding="same"), nn.AvgPool2d(3, 2, 1), nn.Hardswish(), nn.PReLU(),
                                  nn.Conv2d(2, 2, 3, dilation=3), nn.AdaptiveMaxPool2d((2, 1)), nn.GroupNorm(2, 2)),
            (1, 28, 25)),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("case", CASES)
def test_a_place_depends_on_the_lines_of_its_field_and_on_no_others(case: str) -> None:
    build, shape = CASES[case]
    model = seeded(build).eval()
    fields = receptive_fields(model, shape)
    checked = 0
    for layer, field in fields.items():
        for axis in (0, 1):
            if layer:
                found = reached(model, layer, shape, axis)
                assert np.array_equal(found, expected(field, shape[1 + axis], len(found), axis)), (layer, axis)
                checked += 1
    assert checked >= 10


def test_the_gradient_of_a_place_is_just_its_box() -> None:
    model = seeded(lambda: nn.Sequential(nn.Conv2d(1, 3, 3), nn.AvgPool2d(2), nn.Conv2d(3, 4, (3, 5), padding=1)))
    image = torch.rand(1, 1, 28, 28, requires_grad=True)
    model(image)[0, 2, 5, 4].backward()
    rows, cols = torch.nonzero(image.grad[0, 0], as_tuple=True)
    found = (int(rows.min()), int(cols.min()), int(rows.max()) + 1, int(cols.max()) + 1)
    assert found == receptive_fields(model, (1, 28, 28))["2"].box(5, 4) == (8, 6, 16, 18)


def test_the_lectures_network_never_looks_at_the_last_two_lines() -> None:
    """11 rows make 5 pairs: what pooling leaves over, nobody sees."""
    fields = receptive_fields(LectureNet(), (1, 28, 28))
    assert fields["conv1"] == Field((4, 4), (2, 2), (0, 0))
    assert fields["conv2"] == Field((10, 10), (4, 4), (0, 0))
    assert fields["flatten"].box(0, 0) == (0, 0, 26, 26)


def test_the_lectures_table() -> None:
    rows = layer_table(LectureNet(), (1, 28, 28))
    assert [(row.layer, row.shape, row.parameters, row.per_filter, row.field) for row in rows] == [
        ("input", (1, 28, 28), 0, None, (1, 1)),
        ("conv1.conv", (25, 26, 26), 250, 9, (3, 3)),
        ("conv1.pool", (25, 13, 13), 0, None, (4, 4)),
        ("conv2.conv", (50, 11, 11), 11_300, 225, (8, 8)),
        ("conv2.pool", (50, 5, 5), 0, None, (10, 10)),
        ("flatten", (1250,), 0, None, (26, 26)),
        ("hidden", (100,), 125_100, 1250, (26, 26)),
        ("output", (10,), 1_010, 100, (26, 26)),
    ]
    assert table_text(rows[:3]).splitlines() == [
        "layer         output  parameters  per filter  receptive field",
        "input        28×28×1           –           –              1×1",
        "conv1.conv  26×26×25         250           9              3×3",
        "conv1.pool  13×13×25           –           –              4×4",
        "total                        250",
    ]


@pytest.mark.parametrize(
    ("build", "shape", "weights"),
    [(LectureNet, (1, 28, 28), 137_660), (DenseNet, (1, 28, 28), 137_080), (SqueezeNet, (3, 227, 227), 1_235_496),
     (lambda: policy.build(policy.preset("b6c64")), (20, 19, 19), 476_262)],
)  # fmt: skip
def test_the_rows_add_up_to_the_network(build, shape: tuple[int, int, int], weights: int) -> None:
    model = build()
    rows = layer_table(model, shape)
    assert sum(row.parameters for row in rows) == weights == sum(p.numel() for p in model.parameters())
    assert all(row.field is not None for row in rows)


def test_what_stands_in_two_places_counts_once() -> None:
    shared = nn.Conv2d(1, 1, 3, padding=1)
    net = nn.Sequential(nn.Sequential(shared), nn.Sequential(shared))
    assert sum(row.parameters for row in layer_table(net, (1, 6, 6))) == 10
    assert [row.parameters for row in layer_table(net, (1, 6, 6), ["0", "0.0"])] == [0, 10, 10]


def test_the_go_network_sees_29_points_across_whatever_the_board() -> None:
    model = policy.build(policy.preset("b6c64"))
    for size in (9, 19):
        rows = {row.layer: row for row in layer_table(model, (20, size, size), ["stem", "blocks.5", "head.points"])}
        assert rows["stem"].field == (5, 5) and rows["blocks.5"].field == rows["head.points"].field == (29, 29)
        assert rows["head.points"].shape == (1, size, size)


def test_a_layer_that_does_not_run_keeps_its_parameters_in_the_table() -> None:
    rows = layer_table(policy.build(policy.PolicyConfig(blocks=1, channels=8, value=True)), (20, 9, 9))
    idle = [row for row in rows if row.layer.startswith("value.")]
    assert idle and all(row.shape is None and row.field is None and row.parameters for row in idle)
    assert "–" in table_text(idle)


class Written(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1)
        self.after = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        halves = torch.zeros_like(x)
        halves[:, :, :4] = self.conv(x)[:, :, :4]
        return self.after(halves + x)


@pytest.mark.parametrize(
    "model",
    [nn.Sequential(nn.Conv2d(1, 1, 3), nn.Upsample(scale_factor=2)), nn.Sequential(nn.Conv2d(1, 1, 3), Written()),
     nn.Sequential(nn.Conv2d(1, 1, 3), nn.ConvTranspose2d(1, 1, 2))],
)  # fmt: skip
def test_what_cannot_be_told_is_not_told(model: nn.Module) -> None:
    fields = receptive_fields(model, (1, 8, 8))
    assert "0" in fields and "1" not in fields and "" not in fields


def test_a_layer_that_runs_twice_has_no_field_of_its_own() -> None:
    fields = receptive_fields(policy.build(policy.preset("b2c32")), (20, 9, 9))
    assert "blocks.0.activation" not in fields and "blocks.0.conv2" in fields


def test_the_network_is_left_as_it_was() -> None:
    model = LectureNet().train()
    model[0].conv.weight.requires_grad_(False)
    layer_table(model, (1, 28, 28))
    assert model.training and not model[0].conv.weight.requires_grad and model[3].weight.requires_grad
    assert not any(module._forward_hooks for module in model.modules())


def test_refusals() -> None:
    with pytest.raises(LayerError, match=r"no layer 'conv3'.*conv1"):
        layer_table(LectureNet(), (1, 28, 28), ["conv3"])
    with pytest.raises(RuntimeError):
        layer_table(LectureNet(), (3, 28, 28))


class Calls(nn.Module):
    """Two convolutions, and what is done with them."""

    def __init__(self, how, *convs: nn.Module) -> None:
        super().__init__()
        self.how, self.a, self.b = how, *convs

    def forward(self, x: Tensor) -> Tensor:
        return self.how(self, x)


def pair() -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)


def test_convolutions_over_other_axes_are_not_told() -> None:
    """The second axis of a volume's kernel is the image's first; a row's kernel goes along the last axis only."""
    volume = Calls(lambda net, x: net.a(x.unsqueeze(1)), nn.Conv3d(1, 2, (1, 3, 5)), nn.Identity())
    line = Calls(lambda net, x: net.a(x[:, 0]), nn.Conv1d(12, 4, 3), nn.Identity())
    for model in (volume, line):
        assert receptive_fields(model, (1, 12, 12)).keys() == set()


def test_a_write_is_seen_in_what_was_taken_out_before() -> None:
    """The part sees 5x5 after the write; 3x3 were known of it."""

    def part(net: nn.Module, x: Tensor) -> Tensor:
        y = net.a(x)
        v = y[:, :2]
        y.add_(net.b(y))
        return v

    def part_of_nothing(net: nn.Module, x: Tensor) -> Tensor:
        z = torch.zeros(1, 4, 12, 12)
        v = z[:, :1]
        z += net.b(net.a(x))
        return v + x

    for how in (part, part_of_nothing):
        fields = receptive_fields(Calls(how, *pair()), (1, 12, 12))
        assert "" not in fields and fields["b"].size == (5, 5)


def test_a_reshape_that_keeps_lines_apart_does_not_see_everything() -> None:
    """A fully-connected layer along the last axis: each row of its output sees three rows."""
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Linear(10, 5))
    assert "1" not in receptive_fields(model, (1, 12, 12))
    line = Calls(lambda net, x: net.a(x).squeeze(2), nn.Conv2d(1, 2, (12, 3)), nn.Identity())
    assert "" not in receptive_fields(line, (1, 12, 12))
    mean = Calls(lambda net, x: net.a(x).flatten(2).mean(2), nn.Conv2d(1, 2, 3), nn.Identity())
    assert receptive_fields(mean, (1, 12, 12))[""] == Field((12, 12), (0, 0), (0, 0))


def test_a_map_of_one_row_keeps_its_step_unless_it_goes_with_many() -> None:
    row = nn.Sequential(nn.Conv2d(1, 2, (8, 3)), nn.ReLU())
    fields = receptive_fields(row, (1, 8, 8))
    assert fields["1"] == fields["0"] == Field((8, 3), (1, 1), (0, 0))
    spread = Calls(lambda net, x: net.a(x) + torch.zeros(1, 2, 8, 6), nn.Conv2d(1, 2, (8, 3)), nn.Identity())
    assert receptive_fields(spread, (1, 8, 8))[""].step == (0, 1)


def test_the_networks_own_parameters_count() -> None:
    (_, row) = layer_table(nn.Conv2d(1, 2, 3), (1, 8, 8))
    assert (row.layer, row.shape, row.parameters, row.per_filter, row.field) == ("", (2, 6, 6), 20, 9, (3, 3))
    model = Calls(lambda net, x: net.b(net.a(x)) * net.scale, *pair())
    model.scale = nn.Parameter(torch.ones(4, 1, 1))
    rows = layer_table(model, (1, 8, 8))
    assert [(row.layer, row.parameters) for row in rows] == [("input", 0), ("a", 40), ("b", 148), ("", 4)]
    assert sum(row.parameters for row in rows) == sum(weight.numel() for weight in model.parameters())


@pytest.mark.parametrize("groups", [1, 2])
def test_a_transposed_convolution_has_its_filters_along_the_other_axis(groups: int) -> None:
    rows = layer_table(nn.Sequential(nn.ConvTranspose2d(4, 8, 3, groups=groups)), (4, 8, 8))
    assert rows[1].per_filter == 36 // groups


def test_a_write_into_a_view_is_not_lost():
    """Each channel of the result sees 5x5 pixels; of the base, which the write goes by, 3x3 were known."""

    class Writes(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)

        def forward(self, x):
            y = self.a(x)
            y[:, :1].add_(self.b(y)[:, :1])
            return y

    assert receptive_fields(Writes(), (1, 16, 16)).get("") is None
