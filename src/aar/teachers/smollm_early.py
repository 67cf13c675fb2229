"""An early layer of the student itself: a teacher that sees words and little more."""

from __future__ import annotations

from aar.teachers.base import HeadTeacher, teachers

teachers.register("smollm-early")(HeadTeacher(("smollm2-135m", 3, "mean")))
