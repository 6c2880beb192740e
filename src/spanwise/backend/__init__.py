"""Who computes the scores: ONNX Runtime by default, PyTorch where it is asked for."""
