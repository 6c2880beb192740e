"""The paper, one arrow per file: words, windows, prompt, encode, decode. numpy only."""
