"""Models: scikit-learn in, ONNX out, and the proof that both answer alike. The only door to sklearn, skl2onnx and ORT.

A converted model can be wrong without any error: a forest that learnt from nulls, a histogram booster with native
categories and a word pattern that does not know accents all convert, pass the ONNX checker and answer otherwise. So a
model is believed only after `parity` has compared both on held-back rows and on rows made to be awkward.

Nothing heavy is imported until a function that needs it is called; `read_provenance` never needs any.
"""

from __future__ import annotations

import os

from curator.edges.onnx_models._convert import convert, library_versions, opsets
from curator.edges.onnx_models._features import Columns, Feature, columns_of, frame_of, read_target, signature
from curator.edges.onnx_models._fitted import Fitted, adopt, check_target, feature_names, fit
from curator.edges.onnx_models._metrics import METRIC_NAMES, Score, score
from curator.edges.onnx_models._parity import Case, Parity, parity
from curator.edges.onnx_models._pipelines import baseline_pipeline, frequent_categories
from curator.edges.onnx_models._session import Answers, OnnxModel
from curator.edges.onnx_models._wire import read_provenance, stamp

# scikit-learn's OpenMP reads this when it is first loaded. Its threads otherwise spin while they wait, and on a machine
# whose cores are shared they keep each other from working (training took several times as long).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__all__ = [
    "METRIC_NAMES",
    "Answers",
    "Case",
    "Columns",
    "Feature",
    "Fitted",
    "OnnxModel",
    "Parity",
    "Score",
    "adopt",
    "baseline_pipeline",
    "check_target",
    "columns_of",
    "convert",
    "feature_names",
    "fit",
    "frame_of",
    "frequent_categories",
    "library_versions",
    "opsets",
    "parity",
    "read_provenance",
    "read_target",
    "score",
    "signature",
    "stamp",
]
