"""Step 03: every right way passes, every mistake fails on its lines, and no finished norm of torch's gets by."""

import textwrap

import pytest
from reading import edited, failed, passed, shown

SEEDS = ("91c2", "0", "beef")
SIX = [
    "✅ LayerNorm has a weight of ones and a bias of zeros, both learned",
    "✅ LayerNorm gives torch's output",
    "✅ LayerNorm uses the eps that it was made with",
    "✅ LayerNorm leaves its input as it was, and gives the same twice",
    "✅ LayerNorm lets gradients through to its input, weight and bias",
    "✅ LayerNorm is your own: none of torch's norms is used",
]
LETTERS = {
    "P": "has_its_parameters",
    "O": "output_matches",
    "E": "uses_its_eps",
    "S": "is_a_function",
    "G": "gradients_match",
    "F": "forbids",
    "D": "works_in_float64",
    "B": "keeps_the_dtype",
}

WEIGHT = "self.weight = nn.Parameter(torch.ones(dim))"
BIAS = "self.bias = nn.Parameter(torch.zeros(dim))"
MEAN = "mean = x.mean(dim=-1, keepdim=True)"
VARIANCE = "variance = x.var(dim=-1, keepdim=True, correction=0)"
NORMALISED = "normalised = (x - mean) / torch.sqrt(variance + self.eps)"
RETURN = "return self.weight * normalised + self.bias"
REST = f"{NORMALISED}\n{RETURN}"
INIT_BODY = f"        {WEIGHT}\n        {BIAS}\n"
FORWARD_BODY = f"        {MEAN}\n        {VARIANCE}\n        {NORMALISED}\n        {RETURN}\n"
RIGHT = f"""\
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LayerNorm(nn.Module):
    def __init__(self, dim: int, *, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
{INIT_BODY}
    def forward(self, x: Tensor) -> Tensor:
{FORWARD_BODY}"""


def with_(*edits):
    return edited(RIGHT, *edits)


def forward(body, *edits):
    """The right file with another body of `forward`."""
    return with_((FORWARD_BODY, textwrap.indent(f"{body}\n", " " * 8)), *edits)


def init(body, *edits):
    """The right file with other lines for the two parameters."""
    return with_((INIT_BODY, textwrap.indent(f"{body}\n", " " * 8)), *edits)


def before(line, *new):
    """An edit that puts lines in front of one in `forward` or `__init__`."""
    return (line, "\n        ".join([*new, line]))


RIGHT_ONES = {
    "as the solution has it": RIGHT,
    "rsqrt": with_((NORMALISED, "normalised = (x - mean) * torch.rsqrt(variance + self.eps)")),
    "a power": with_((NORMALISED, "normalised = (x - mean) * (variance + self.eps) ** -0.5")),
    "var_mean": forward(f"variance, mean = torch.var_mean(x, dim=-1, keepdim=True, correction=0)\n{REST}"),
    "std squared": forward(f"std, mean = torch.std_mean(x, -1, correction=0, keepdim=True)\nvariance = std**2\n{REST}"),
    "hypot": with_((NORMALISED, "normalised = (x - mean) / torch.hypot(variance.sqrt(), torch.tensor(self.eps**0.5))")),
    "unbiased=False": with_((VARIANCE, "variance = torch.var(x, -1, unbiased=False, keepdim=True)")),
    "the mean of squares": with_((VARIANCE, "variance = ((x - mean) ** 2).mean(-1, keepdim=True)")),
    "Bessel's correction undone": with_(
        (VARIANCE, "variance = x.var(-1, keepdim=True) * (x.shape[-1] - 1) / x.shape[-1]")
    ),
    "E[x²] - E[x]²": with_((VARIANCE, "variance = (x * x).mean(-1, keepdim=True) - mean**2")),
    "in float64 and back": forward(
        "y = x.double()\nmean = y.mean(-1, keepdim=True)\nvariance = y.var(-1, keepdim=True, correction=0)\n"
        "return ((y - mean) / torch.sqrt(variance + self.eps)).to(x.dtype) * self.weight + self.bias"
    ),
    "float32 inside": forward(
        "y = x.float()\nmean = y.mean(-1, keepdim=True)\nvariance = y.var(-1, keepdim=True, correction=0)\n"
        "return (self.weight * (y - mean) / torch.sqrt(variance + self.eps) + self.bias).type_as(x)"
    ),
    "sums": forward(
        "n = x.shape[-1]\nmean = x.sum(-1, keepdim=True) / n\n"
        f"variance = ((x - mean) ** 2).sum(-1, keepdim=True) / n\n{REST}"
    ),
    "einsum": forward(
        "n = x.size(-1)\nx = x - torch.einsum('...d->...', x).unsqueeze(-1) / n\n"
        "variance = torch.einsum('...d,...d->...', x, x)[..., None] / n\n"
        "return torch.einsum('...d,d->...d', x / (variance + self.eps).sqrt(), self.weight) + self.bias"
    ),
    "addcmul": with_((RETURN, "return torch.addcmul(self.bias, self.weight, normalised)")),
    "functions for operators": with_(
        (NORMALISED, "normalised = torch.div(torch.sub(x, mean), torch.sqrt(torch.add(variance, self.eps)))"),
        (RETURN, "return torch.add(torch.mul(normalised, self.weight), self.bias)"),
    ),
    "a matrix for the weight": with_((RETURN, "return F.linear(normalised, torch.diag(self.weight), self.bias)")),
    "own helper functions": with_(
        ("class LayerNorm", "def centred(x):\n    return x - x.mean(-1, keepdim=True)\n\n\nclass LayerNorm"),
        (NORMALISED, "normalised = centred(x) / (centred(x).square().mean(-1, keepdim=True) + self.eps).sqrt()"),
    ),
    "more methods": with_(
        (
            "    def forward",
            "    @staticmethod\n    def _mean(x):\n        return x.mean(-1, keepdim=True)\n\n    def forward",
        ),
        (MEAN, "mean = self._mean(x)"),
    )
    + "\n    def extra_repr(self):\n        return f'eps={self.eps}'\n",
    "empty, then filled": init(
        "self.weight = nn.Parameter(torch.empty(dim))\nself.bias = nn.Parameter(torch.empty(dim))\n"
        "nn.init.ones_(self.weight)\nnn.init.zeros_(self.bias)"
    ),
    "register_parameter": init(
        "self.register_parameter('weight', nn.Parameter(torch.full((dim,), 1.0)))\n"
        "self.register_parameter('bias', nn.Parameter(torch.zeros((dim,))))"
    ),
    "the axis brought to the front": forward(
        "y = x.transpose(0, -1)\ny = (y - y.mean(0)) / torch.sqrt(y.var(0, correction=0) + self.eps)\n"
        "return self.weight * y.transpose(0, -1) + self.bias"
    ),
    "rows in a loop": forward(
        "rows = [self.weight * (r - r.mean()) / (r.var(correction=0) + self.eps).sqrt() + self.bias\n"
        "        for r in x.reshape(-1, x.shape[-1])]\nreturn torch.stack(rows).reshape(x.shape)"
    ),
    "unsqueeze for keepdim": forward(
        f"mean = x.mean(-1).unsqueeze(-1)\nvariance = x.var(-1, correction=0)[..., None]\n{REST}"
    ),
    "in place, on a copy": forward(
        "y = x.clone()\ny -= y.mean(-1, keepdim=True)\n"
        "return y / torch.sqrt((y * y).mean(-1, keepdim=True) + self.eps) * self.weight + self.bias"
    ),
    "a gradient of its own": with_(
        (
            "class LayerNorm",
            textwrap.dedent("""\
            class Norm(torch.autograd.Function):
                @staticmethod
                def forward(ctx, x, weight, bias, eps):
                    r = (x.var(-1, keepdim=True, correction=0) + eps).rsqrt()
                    n = (x - x.mean(-1, keepdim=True)) * r
                    ctx.save_for_backward(n, r, weight)
                    return n * weight + bias

                @staticmethod
                def backward(ctx, g):
                    n, r, weight = ctx.saved_tensors
                    rows, h = tuple(range(g.dim() - 1)), g * weight
                    x = r * (h - h.mean(-1, keepdim=True) - n * (h * n).mean(-1, keepdim=True))
                    return x, (g * n).sum(rows), g.sum(rows), None


            class LayerNorm"""),
        ),
        (FORWARD_BODY, "        return Norm.apply(x, self.weight, self.bias, self.eps)\n"),
    ),
    "no annotations": with_((": Tensor", ""), (" -> Tensor", ""), (" -> None", ""), ("import Tensor, nn", "import nn")),
    "eps under another name": with_(("self.eps", "self.epsilon")),
    "eps as a buffer": with_(("self.eps = eps", "self.register_buffer('eps', torch.tensor(eps), persistent=False)")),
    "eps by position too": with_(("*, eps", "eps")),
    "prints": with_(before(MEAN, "print('✅ LayerNorm', x.shape)")),
    # What a ban does not count.
    "compared under a main block": f"{RIGHT}\n\nif __name__ == '__main__':\n    nn.LayerNorm(3)(torch.ones(3))\n",
    "an unused import": f"from torch.nn import LayerNorm as Theirs\n{RIGHT}",
    "the word in a comment and a text": with_(
        before(MEAN, "# as nn.LayerNorm and F.layer_norm do", "name = 'torch.nn.functional.layer_norm'")
    ),
    "helpers that nobody calls": f"""{RIGHT}

def compare(x):
    return F.layer_norm(x, x.shape[-1:]) - nn.LayerNorm(x.shape[-1])(x)


class Other(nn.LayerNorm):
    pass
""",
}

# In each: the program, and the letters of the lines that fail. "OESG": the output is wrong, and the rest waits for it.
MISTAKES = {
    "the parameters alone": (forward('raise NotImplementedError("step 03: LayerNorm.forward")'), "OESGF"),
    "the forward alone": (with_((INIT_BODY, "")), "POESGF"),
    "unbiased variance": (with_((", correction=0", "")), "OESG"),
    "eps added to the standard deviation": (
        with_((NORMALISED, "normalised = (x - mean) / (torch.sqrt(variance) + self.eps)")),
        "E",
    ),
    "an unbiased std, and eps outside": (
        forward(f"{MEAN}\nreturn self.weight * (x - mean) / (x.std(-1, keepdim=True) + self.eps) + self.bias"),
        "OESG",
    ),
    "no eps": (with_((" + self.eps)", ")")), "E"),
    "eps inside and outside": (
        with_(("torch.sqrt(variance + self.eps)", "(torch.sqrt(variance + self.eps) + self.eps)")),
        "E",
    ),
    "eps subtracted": (with_(("+ self.eps", "- self.eps")), "E"),
    "eps squared": (with_(("+ self.eps", "+ self.eps**2")), "E"),
    "eps added to the numerator": (with_(("(x - mean)", "(x - mean + self.eps)")), "E"),
    "the variance clamped to eps": (with_(("variance + self.eps", "variance.clamp(min=self.eps)")), "E"),
    "the std clamped to eps": (with_(("torch.sqrt(variance + self.eps)", "variance.sqrt().clamp(min=self.eps)")), "E"),
    "eps hard-coded": (with_(("+ self.eps", "+ 1e-5")), "E"),
    "eps ignored": (with_(("self.eps = eps", "self.eps = 1e-5")), "E"),
    "eps 1e-6 by default": (with_(("1e-5", "1e-6")), "E"),
    "eps 1e-12 by default": (with_(("1e-5", "1e-12")), "E"),
    "eps without a default": (with_((" = 1e-5", "")), "PE"),
    "eps no argument": (with_((", *, eps: float = 1e-5", ""), ("= eps", "= 1e-5")), "OESG"),
    "no mean subtracted": (with_(("(x - mean)", "x")), "OESG"),
    "a root mean square": (
        forward("return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) + self.bias"),
        "OESG",
    ),
    "over the tokens": (with_(("dim=-1", "dim=1")), "OESG"),
    "over the batch": (with_(("dim=-1", "dim=0")), "OESG"),
    "over the axis 2": (with_(("dim=-1", "dim=2")), "O"),
    "over the last two axes": (with_(("dim=-1", "dim=(-2, -1)")), "OESG"),
    "over everything": (with_((MEAN, "mean = x.mean()"), (VARIANCE, "variance = x.var(correction=0)")), "OESG"),
    "the mean alone over everything": (with_((MEAN, "mean = x.mean()")), "OESG"),
    "the variance alone over the tokens": (
        with_((VARIANCE, "variance = x.var(1, keepdim=True, correction=0)")),
        "OESG",
    ),
    "keepdim forgotten": (with_((", keepdim=True", "")), "OESG"),
    "keepdim forgotten, silent where sizes agree": (
        forward(
            "mean, variance = x.mean(-1), x.var(-1, correction=0)\nif mean.shape[-1] != x.shape[-1]:\n"
            f"    mean, variance = mean[..., None], variance[..., None]\n{REST}"
        ),
        "O",
    ),
    "no weight": (with_((RETURN, "return normalised + self.bias")), "OESG"),
    "no bias": (with_((RETURN, "return self.weight * normalised")), "OESG"),
    "one added to the weight": (with_((RETURN, "return (1 + self.weight) * normalised + self.bias")), "OESG"),
    "the bias scaled too": (with_((RETURN, "return self.weight * (normalised + self.bias)")), "OESG"),
    "weight and bias swapped": (with_((RETURN, "return self.bias * normalised + self.weight")), "OESG"),
    "a weight of zeros": (with_(("torch.ones", "torch.zeros")), "P"),
    "a bias of ones": (with_(("torch.zeros", "torch.ones")), "P"),
    "a random weight": (with_(("torch.ones", "torch.rand")), "P"),
    "plain tensors": (init("self.weight = torch.ones(dim)\nself.bias = torch.zeros(dim)"), "POESGF"),
    "buffers": (
        init("self.register_buffer('weight', torch.ones(dim))\nself.register_buffer('bias', torch.zeros(dim))"),
        "PG",
    ),
    "a frozen bias": (with_(("torch.zeros(dim)", "torch.zeros(dim), requires_grad=False")), "PG"),
    "gamma and beta": (with_(("self.weight", "self.gamma"), ("self.bias", "self.beta")), "POESGF"),
    "eps learned too": (with_(("self.eps = eps", "self.eps = nn.Parameter(torch.tensor(eps))")), "POESGF"),
    "parameters of 768": (with_(("(dim)", "(768)")), "POESGF"),
    "parameters of one number": (with_(("(dim)", "(1)")), "POESGF"),
    "parameters in float64": (with_(("(dim)", "(dim, dtype=torch.float64)")), "POESG"),
    "parameters made anew in forward": (
        with_(before(MEAN, "self.weight = nn.Parameter(torch.ones(x.shape[-1]))")),
        "OESG",
    ),
    "divided by the width of another model": (with_((MEAN, "mean = x.sum(dim=-1, keepdim=True) / 768")), "OESG"),
    "divided by the variance": (with_(("torch.sqrt(variance + self.eps)", "(variance + self.eps)")), "OESG"),
    "the sum for the mean of squares": (
        with_((VARIANCE, "variance = ((x - mean) ** 2).sum(-1, keepdim=True)")),
        "OESG",
    ),
    "the mean distance for the std": (
        with_((VARIANCE, "variance = (x - mean).abs().mean(-1, keepdim=True) ** 2")),
        "OESG",
    ),
    "weight.data": (with_((RETURN, "return self.weight.data * normalised + self.bias.data")), "G"),
    "x detached": (with_(before(MEAN, "x = x.detach()")), "G"),
    "the mean detached": (with_((MEAN, f"{MEAN}.detach()")), "G"),
    "the statistics under no_grad": (forward(f"with torch.no_grad():\n    {MEAN}\n    {VARIANCE}\n{REST}"), "G"),
    "forward under no_grad": (with_(("    def forward", "    @torch.no_grad()\n    def forward")), "G"),
    "by numpy": (
        forward(
            "y = x.detach().numpy()\ny = y - y.mean(-1, keepdims=True)\n"
            "y = y / ((y * y).mean(-1, keepdims=True) + self.eps) ** 0.5\n"
            "return self.weight * torch.from_numpy(y) + self.bias"
        ),
        "GB",
    ),
    "x changed in place": (
        forward(
            "x -= x.mean(-1, keepdim=True)\n"
            "return self.weight * x / torch.sqrt((x * x).mean(-1, keepdim=True) + self.eps) + self.bias"
        ),
        "SG",
    ),
    "dropout": (with_((RETURN, f"{RETURN.replace('return ', 'return F.dropout(')}, 0.1)")), "OESG"),
    "noise too small to see": (with_((RETURN, f"{RETURN} + 1e-6 * torch.randn_like(x)")), "S"),
    "the first statistics kept": (
        forward(
            "if not hasattr(self, 'mean'):\n    self.mean = x.mean(-1, keepdim=True).detach()\n"
            f"    self.variance = x.var(-1, keepdim=True, correction=0).detach()\n"
            f"mean, variance = self.mean, self.variance\n{REST}"
        ),
        "OSG",
    ),
    "running averages in use": (
        forward(
            f"{MEAN}\n{VARIANCE}\nif self.training:\n    self.m, self.v = mean.mean(), variance.mean()\n"
            f"else:\n    mean, variance = self.m, self.v\n{REST}"
        ),
        "SG",
    ),
    "in training only": (with_(before(MEAN, "if not self.training:", "    return x")), "SG"),
    "the weight changed at each call": (
        with_((RETURN, f"out = {RETURN[7:]}\n        self.weight.data *= 0.99\n        return out")),
        "OSG",
    ),
    "float64 comes back": (with_(before(MEAN, "x = x.double()")), "OESG"),
    "float16 comes back": (with_((RETURN, f"return ({RETURN[7:]}).half()")), "OESG"),
    "bfloat16 inside": (with_(before(MEAN, "x = x.bfloat16().float()")), "OESG"),
    "float32 alone": (with_(before(MEAN, "assert x.dtype == torch.float32")), "DB"),
    "squeezed": (with_((RETURN, f"return ({RETURN[7:]}).squeeze()")), "O"),
    "a tuple": (with_((RETURN, f"{RETURN}, mean")), "OESG"),
    "no return": (with_((RETURN, RETURN[7:])), "OESG"),
    "printed in place of returned": (with_((RETURN, f"print({RETURN[7:]})")), "OESG"),
    "a list": (with_((RETURN, f"return ({RETURN[7:]}).tolist()")), "OESG"),
    "None the first time": (
        with_(before(MEAN, "self.n = getattr(self, 'n', 0) + 1", "if self.n == 1:", "    return")),
        "OESG",
    ),
    "the first row's statistics for all": (with_((MEAN, "mean = x[:1].mean(dim=-1, keepdim=True)")), "OESG"),
    "large numbers cut off": (with_(before(MEAN, "x = x.clamp(-30, 30)")), "O"),
    "for three axes alone": (with_(before(MEAN, "b, t, d = x.shape")), "O"),
    "as it is": (forward("return x"), "OESG"),
    "the bias alone": (forward("return self.bias.expand_as(x)"), "OESG"),
    "no super().__init__()": (with_(("        super().__init__()\n", "")), "POESGF"),
    "no nn.Module": (with_(("(nn.Module)", ""), ("        super().__init__()\n", "")), "POESGF"),
    "__call__ for forward": (with_(("def forward", "def __call__")), "O"),
    "another name": (with_(("class LayerNorm", "class Layernorm")), "POESGF"),
    "a function that returns nothing": ("def LayerNorm(dim, *, eps=1e-5):\n    pass\n", "POESGF"),
    "a number": ("LayerNorm = 3\n", "POESGF"),
    "a state dict of its own": (f"{RIGHT}\n    def state_dict(self, **_):\n        return [1, 2]\n", "P"),
    "a state dict of texts": (
        f"{RIGHT}\n    def state_dict(self, **_):\n        return dict(weight='w', bias=3)\n",
        "P",
    ),
}

AFFINE = "self.weight, self.bias, self.eps"
ROWS = "d = x.shape[-1]\ny = x.reshape(1, -1, d)"
BACK = ".reshape(x.shape) * self.weight + self.bias"
CENTRED = "c = x - x.mean(-1, keepdim=True)"
# In each: the program, and the name that the line about one's own work must give.
FORBIDDEN = {
    "subclassed": (
        (
            "from torch import nn\n\n\nclass LayerNorm(nn.LayerNorm):\n    def __init__(self, dim, *, eps=1e-5):\n"
            "        super().__init__(dim, eps=eps)\n"
        ),
        "torch.nn.LayerNorm",
    ),
    "imported": ("from torch.nn import LayerNorm\n", "torch.nn.LayerNorm"),
    "renamed": ("from torch import nn\n\nTheirs = nn.LayerNorm\nLayerNorm = Theirs\n", "torch.nn.LayerNorm"),
    "as a part": (
        forward("return nn.LayerNorm(x.shape[-1], eps=self.eps)(x) * self.weight + self.bias"),
        "torch.nn.LayerNorm",
    ),
    "in a helper": (
        forward("return norm(x, self.eps) * self.weight + self.bias")
        + "\n\ndef norm(x, eps):\n    return F.layer_norm(x, x.shape[-1:], eps=eps)\n",
        "torch.nn.functional.layer_norm",
    ),
    "F.layer_norm": (forward(f"return F.layer_norm(x, x.shape[-1:], {AFFINE})"), "torch.nn.functional.layer_norm"),
    "under an alias": (
        f"from torch.nn.functional import layer_norm as ln\n{forward(f'return ln(x, x.shape[-1:], {AFFINE})')}",
        "torch.nn.functional.layer_norm",
    ),
    "torch.layer_norm": (forward(f"return torch.layer_norm(x, x.shape[-1:], {AFFINE})"), "torch.layer_norm"),
    "torch.native_layer_norm": (
        forward(f"return torch.native_layer_norm(x, x.shape[-1:], {AFFINE})[0]"),
        "torch.native_layer_norm",
    ),
    "torch.ops": (
        forward(f"return torch.ops.aten.layer_norm(x, x.shape[-1:], {AFFINE})"),
        "a call of torch.ops.aten.native_layer_norm",
    ),
    "getattr, the name written out": (
        forward(f"return getattr(F, 'layer_norm')(x, x.shape[-1:], {AFFINE})"),
        "torch.nn.functional.layer_norm",
    ),
    "getattr, the name computed": (
        forward(f"return getattr(F, 'layer' + '_norm')(x, x.shape[-1:], {AFFINE})"),
        "a call of torch.nn.functional.layer_norm",
    ),
    "torch.ops, the name computed": (
        forward(f"return getattr(torch.ops.aten, 'native_layer' + '_norm')(x, list(x.shape[-1:]), {AFFINE})[0]"),
        "a call of torch.ops.aten.native_layer_norm",
    ),
    "eval": (
        forward(f"return eval('F.layer' + '_norm')(x, x.shape[-1:], {AFFINE})"),
        "a call of torch.nn.functional.layer_norm",
    ),
    "found among the subclasses": (
        forward(
            "found = [c for c in nn.Module.__subclasses__() if c.__name__ == 'Layer' + 'Norm'][0]\n"
            "return found(x.shape[-1], eps=self.eps)(x) * self.weight + self.bias"
        ),
        "a call of torch.nn.LayerNorm",
    ),
    "its forward borrowed": (
        forward("self.normalized_shape = (x.shape[-1],)\nreturn nn.LayerNorm.forward(self, x)"),
        "torch.nn.LayerNorm",
    ),
    "functional_call": (
        forward(
            "theirs = nn.LayerNorm(x.shape[-1], eps=self.eps)\n"
            "return torch.func.functional_call(theirs, {'weight': self.weight, 'bias': self.bias}, (x,))"
        ),
        "torch.nn.LayerNorm",
    ),
    "out of a transformer": (
        forward(
            "layer = nn.TransformerEncoderLayer(x.shape[-1], 1, layer_norm_eps=self.eps)\n"
            "return layer.norm1(x) * self.weight + self.bias"
        ),
        "a call of torch.nn.LayerNorm",
    ),
    "put in afterwards": (
        f"{RIGHT}\n\nLayerNorm.forward = lambda self, x: F.layer_norm(x, x.shape[-1:], {AFFINE})\n",
        "torch.nn.functional.layer_norm",
    ),
    "group norm": (
        forward(f"d = x.shape[-1]\nreturn F.group_norm(x.reshape(-1, d), 1, {AFFINE}).reshape(x.shape)"),
        "torch.nn.functional.group_norm",
    ),
    "root mean square norm": (
        forward(f"{CENTRED}\nreturn F.rms_norm(c, c.shape[-1:], self.weight, self.eps) + self.bias"),
        "torch.nn.functional.rms_norm",
    ),
    "nn.RMSNorm": (
        forward(f"{CENTRED}\nreturn nn.RMSNorm(c.shape[-1:], eps=self.eps)(c) * self.weight + self.bias"),
        "torch.nn.RMSNorm",
    ),
    "batch norm": (
        forward(f"{ROWS}\nreturn F.batch_norm(y, None, None, training=True, eps=self.eps){BACK}"),
        "torch.nn.functional.batch_norm",
    ),
    "nn.BatchNorm3d": (
        forward(f"{ROWS}\nreturn nn.BatchNorm3d(y.shape[1], eps=self.eps)(y[..., None, None]){BACK}"),
        "torch.nn.BatchNorm3d",
    ),
    "instance norm": (
        forward(f"{ROWS}\nreturn F.instance_norm(y, eps=self.eps){BACK}"),
        "torch.nn.functional.instance_norm",
    ),
    "torch's own references": (
        forward(f"import torch._refs.nn.functional as R\nreturn R.layer_norm(x, x.shape[-1:], {AFFINE})"),
        "torch._refs",
    ),
}


@pytest.mark.parametrize("name", RIGHT_ONES)
def test_a_right_way_passes(judge_text, name):
    for seed in SEEDS:
        report = judge_text("layer_norm", RIGHT_ONES[name], seed=seed)
        assert shown(report) == ""
        assert passed(report) == SIX
        assert report.outcome == "passed"


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_fails_on_its_lines(judge_text, name):
    text, letters = MISTAKES[name]
    seed = SEEDS[list(MISTAKES).index(name) % len(SEEDS)]  # the gate tries what it knows on more
    report = judge_text("layer_norm", text, seed=seed, diagnose=False)
    assert report.outcome not in ("passed", "internal")
    assert failed(report) == [LETTERS[letter] for letter in letters]


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_finished_norm_is_named_on_its_line(judge_text, name):
    text, norm = FORBIDDEN[name]
    report = judge_text("layer_norm", text)
    assert report.outcome not in ("passed", "internal")
    assert f"❌ LayerNorm is not your own, or has not run: got {norm}\n" in f"{shown(report)}\n"
