"""Numbers in Prometheus' text form."""

from bot.runtime.metrics import Metrics


def test_what_prometheus_reads() -> None:
    metrics = Metrics()
    asked = metrics.get_or_create_counter("asked_total", "Asks.", "kind")
    asked.labels("link").inc()
    asked.labels('a"b\\c\nd').inc(2)
    metrics.get_or_create_gauge("rows", "Rows.").set(2.5)
    metrics.get_or_create_gauge("load", "Load.").set_function(lambda: 7.0)
    took = metrics.get_or_create_histogram("took_seconds", "Time.", "kind")
    took.labels("x").observe(0.05)
    took.labels("x").observe(5)
    text = metrics.prometheus_text()
    for line in (
        "# HELP asked_total Asks.",
        "# TYPE asked_total counter",
        'asked_total{kind="link"} 1.0',
        'asked_total{kind="a\\"b\\\\c\\nd"} 2.0',
        "# TYPE rows gauge",
        "rows 2.5",
        "load 7.0",
        "# TYPE took_seconds histogram",
        'took_seconds_bucket{kind="x",le="0.1"} 1.0',
        'took_seconds_bucket{kind="x",le="+Inf"} 2.0',
        'took_seconds_sum{kind="x"} 5.05',
        'took_seconds_count{kind="x"} 2.0',
    ):
        assert line in text.splitlines()
    assert "_created" not in text


def test_two_bots_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.get_or_create_counter("a_total", "A.").inc()
    other.get_or_create_counter("a_total", "A.")
    assert other.registry.get_sample_value("a_total") == 0


def test_the_process_tells_of_itself() -> None:
    text = Metrics().prometheus_text()
    for name in ("process_resident_memory_bytes", "process_open_fds"):
        assert name in text
