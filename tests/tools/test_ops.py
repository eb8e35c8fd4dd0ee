"""What ``ops/`` holds for Prometheus and Grafana asks for numbers that the bot has."""

import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.app import Running
from bot.bootstrap import open_parts
from tests.support.needs import needs
from tests.support.sandbox import sandbox_box
from tests.support.storybell import settings_for

OPS = Path(__file__).parents[2] / "ops"
RULES = OPS / "prometheus/storybell.rules.yml"
BOARD = OPS / "grafana/storybell.json"
OF_PROMETHEUS = {"up"}
"""Series that Prometheus itself makes of each scrape."""
_NAME = re.compile(r"\b([a-z][a-z0-9_]*)\{")
_LABELS = re.compile(r"\bby \(([a-z_, ]+)\)")


@pytest.fixture
async def told(tmp_path: Path) -> AsyncIterator[dict[str, set[str]]]:
    """Return the names of all series that /metrics tells, each with its labels."""
    async with sandbox_box() as box:
        settings = settings_for(box, tmp_path, webhook_url="http://127.0.0.1:8443")
        async with open_parts(settings) as parts:
            Running(settings, parts)
            series: dict[str, set[str]] = {}
            for name, metric in parts.metrics.registry._names_to_collectors.items():  # noqa: SLF001 - nothing public has the labels
                more = {"le"} if name.endswith("_bucket") else set()
                series[name] = {*getattr(metric, "_labelnames", ()), *more}
            for line in parts.metrics.prometheus_text().splitlines():
                if line.startswith("# TYPE"):  # of the process itself
                    series.setdefault(line.split()[2], set())
            yield series


def expressions() -> list[str]:
    rules = yaml.safe_load(RULES.read_text())["groups"]
    board: dict[str, Any] = json.loads(BOARD.read_text())
    return [rule["expr"] for group in rules for rule in group["rules"]] + [
        target["expr"] for panel in board["panels"] for target in panel["targets"]
    ]


async def test_each_expression_asks_for_what_is_told(told: dict[str, set[str]]) -> None:
    for expression in expressions():
        names = _NAME.findall(expression)
        assert names, expression
        for name in names:
            assert name in told or name in OF_PROMETHEUS, expression
        for labels in _LABELS.findall(expression):
            known = {"job", "instance"}.union(*(told.get(name, set()) for name in names))
            assert set(labels.replace(" ", "").split(",")) <= known, expression


def test_the_panels_of_the_dashboard_do_not_overlap() -> None:
    places: set[tuple[int, int]] = set()
    for panel in json.loads(BOARD.read_text())["panels"]:
        at = panel["gridPos"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert (x, y) not in places
                assert x < 24
                places.add((x, y))


promtool = needs("promtool")


@promtool
def test_each_alert_fires_when_it_should_and_not_before() -> None:
    run("test", "rules", str(RULES.with_name("storybell.test.yml")))
    tested = yaml.safe_load(RULES.with_name("storybell.test.yml").read_text())["tests"]
    fired = {one["alertname"] for test in tested for one in test["alert_rule_test"]
             if one.get("exp_alerts")}  # fmt: skip
    rules = yaml.safe_load(RULES.read_text())["groups"]
    assert fired == {rule["alert"] for group in rules for rule in group["rules"]}


@promtool
def test_each_expression_can_be_read(tmp_path: Path) -> None:
    rules = [
        {"record": f"r{number}", "expr": expression.replace("$job", "storybell")}
        for number, expression in enumerate(expressions())
    ]
    file = tmp_path / "all.yml"
    file.write_text(json.dumps({"groups": [{"name": "all", "rules": rules}]}))
    run("check", "rules", "--lint=none", str(file))


def run(*words: str) -> None:
    tool = shutil.which("promtool") or "promtool"
    done = subprocess.run([tool, *words], capture_output=True, text=True, check=False)  # noqa: S603 - a tool of ours
    assert done.returncode == 0, done.stdout + done.stderr
