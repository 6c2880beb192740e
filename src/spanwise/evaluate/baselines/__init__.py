"""The systems that the paper compares with, each behind the same protocol as our own.

GLiNER, token-level and span-level, is `systems.ExtractorSystem` around our extractor. Here are
`utc` (token classifiers over an instruction), `flan` (Flan-T5) and `chat` (language models behind
an endpoint or on this machine), with the paper's prompts in `prompts` and the reading of free
text in `written`. `local` alone knows torch and transformers.
"""
