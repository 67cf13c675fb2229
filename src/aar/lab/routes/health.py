"""GET health: the one route without a token; says that the lab answers and nothing more."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

import aar

router = APIRouter(tags=["health"])


class Health(BaseModel):
    status: Literal["ok"] = "ok"
    version: str = aar.__version__


@router.get("/health")
def get_health() -> Health:
    return Health()
