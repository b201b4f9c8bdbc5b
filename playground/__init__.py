"""The parts of gpt2.py: a checkpoint on disk, the learner's own GPT-2, and the text that comes out of it."""
