"""What is measured, one family a file; numpy and the standard library only (ROUGE excepted)."""
