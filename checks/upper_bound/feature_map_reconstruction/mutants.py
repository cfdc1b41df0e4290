"""The mutants of ``lem-feature-map-reconstruction``."""

from checks.mutation.mutant import Room

room = Room("reductions.upper_bound.feature_map_reconstruction", "lem-feature-map-reconstruction")

MUTANTS = (
    room.coefficient(
        "",
        "Kernel.BILINEAR: 2, Kernel.BICUBIC: 4",
        "Kernel.BILINEAR: 2, Kernel.BICUBIC: 3",
        "bicubic is said to read three pixels an axis",
    ),
    room.index(
        "Reconstruction.channels",
        "self.convolutions[0].channels",
        "self.convolutions[0].channels[::-1]",
        "channels in and out are exchanged",
    ),
    room.index(
        "Reconstruction.shape",
        "self.schedule[-1]",
        "self.schedule[0]",
        "the feature map has the shape of the first scale",
    ),
    room.formula(
        "Reconstruction.__call__",
        "convolution(self.interpolation.apply(token_map, self.shape))",
        "self.interpolation.apply(convolution(token_map), self.shape)",
        "maps are convolved before they are stretched",
    ),
    room.formula(
        "Reconstruction.__call__",
        "total += convolution(",
        "total = convolution(",
        "only the last scale is left of the sum",
    ),
    room.index(
        "Reconstruction.multiplications",
        "self.interpolation.matrix(h, height).nnz * w",
        "self.interpolation.matrix(h, height).nnz * width",
        "the first stretch is counted at the full width",
    ),
    room.formula(
        "Reconstruction.multiplications",
        "(tall + wide) * channels",
        "(tall + wide)",
        "one channel is counted where there are c",
    ),
    room.coefficient(
        "Reconstruction.multiplication_bound", "2 * taps", "taps", "one axis of the stretch is counted"
    ),
    room.coefficient(
        "Reconstruction.multiplication_bound", "9 * outgoing", "8 * outgoing", "filters have eight taps"
    ),
    room.index(
        "Reconstruction.amplifications",
        "convolution.norm(self.shape)",
        "convolution.norm(shape)",
        "a convolution's norm is taken on the coarse map, which may be too thin for all taps",
    ),
    room.formula(
        "Reconstruction.amplifications",
        "float(operator_norm(self.interpolation, shape, self.shape)) *",
        "",
        "interpolation is taken to have norm 1",
    ),
    room.formula(
        "Reconstruction.error_bound",
        "float(sum(a * e",
        "float(max(a * e",
        "the worst scale in place of the sum",
    ),
    room.formula("Reconstruction.error_bound", "a * e", "a + e", "errors are added to the factors"),
    room.index(
        "textbook_stretch",
        "_combine(row, line) for row in wide",
        "_combine(row, line) for row in tall",
        "the textbook stretches the width by the operator of the height",
    ),
    room.threshold("_combine", "seen[1:]", "seen[2:]", "the textbook forgets the second pixel with a weight"),
    room.formula("_combine", " if weight]", "]", "the textbook multiplies by weights that are 0"),
    room.formula("textbook_reconstruction", "[x + y for", "[x - y for", "the textbook subtracts the scales"),
)

UNTOUCHED = {"Reconstruction.__post_init__": "It only refuses arguments."}
