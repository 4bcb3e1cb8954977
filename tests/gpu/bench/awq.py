"""Weights of four bits as AWQ's gemm kernels want them: groups of 128 inputs, zero at 8."""

import torch

GROUP = 128
ORDER = (0, 4, 1, 5, 2, 6, 3, 7)
"""Column j of eight lies in this nibble of its int32."""
EIGHTS = -2004318072
"""0x88888888: eight weights, or eight zero points, of 8."""


def pack(values: torch.Tensor) -> torch.Tensor:
    """(rows, columns) of 0 to 15 as int32 (rows, columns / 8)."""
    eights = values.to(torch.int64).unflatten(-1, (-1, 8))
    packed = torch.zeros_like(eights[..., 0])
    for column, nibble in enumerate(ORDER):
        packed |= eights[..., column] << (4 * nibble)
    return torch.where(packed >= 2**31, packed - 2**32, packed).to(torch.int32)


def unpack(packed: torch.Tensor) -> torch.Tensor:
    """The reverse of `pack`."""
    nibbles = [(packed >> (4 * nibble)) & 15 for nibble in ORDER]
    return torch.stack(nibbles, dim=-1).flatten(-2)


def dequantised(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A checkpoint's tensors in float32, with plain weights in place of quantised ones."""
    found = {}
    for name, tensor in tensors.items():
        if name.endswith(".qweight"):
            stem = name.removesuffix(".qweight")
            zeros = unpack(tensors[f"{stem}.qzeros"]).float()
            weight = unpack(tensor).float().unflatten(0, (-1, GROUP)) - zeros[:, None]
            scaled = weight * tensors[f"{stem}.scales"].float()[:, None]
            found[f"{stem}.weight"] = scaled.flatten(0, 1).T.contiguous()
        elif not name.endswith((".qzeros", ".scales")):
            found[name] = tensor.float()
    return found
