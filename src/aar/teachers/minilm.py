"""MiniLM sentence embeddings (22 M parameters, mean-pooled last layer) under a linear head: the default weak teacher."""

from __future__ import annotations

from aar.teachers.base import HeadTeacher, teachers

teachers.register("minilm")(HeadTeacher(("minilm", 6, "mean")))
