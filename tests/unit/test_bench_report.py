"""Test the tables and the plots of `python -m tests.bench peers`."""

from xml.etree import ElementTree as ET

import pytest

from tests.bench.backends import report

FIGURES = {
    "get": {"raw socket": [(10.0, 0.0)], "dvcache": [(12.0, 8.0), (14.0, 9.0), (13.0, 8.5)], "a<b": [(26.0, 20.0)]},
    "aget": {"dvcache": [(30.0, 25.0)]},
}


def test_table_shows_medians_of_wall_and_cpu_time_and_a_dash_for_no_figure() -> None:
    assert report.markdown(FIGURES).splitlines() == [
        "|  | raw socket | dvcache | a<b | noise |",
        "| --- | --- | --- | --- | --- |",
        "| `get` | 10.0 | 13.0 (8.5) | 26.0 (20.0) | 0% |",
        "| `aget`, one after another | - | 30.0 (25.0) | - | 0% |",
    ]


def test_noise_is_the_median_distance_from_the_median() -> None:
    assert report.noise({"a": [(90.0, 0.0), (100.0, 0.0), (110.0, 0.0)]}) == "10%"


def test_weights_show_a_dash_for_a_backend_without_a_figure() -> None:
    shown = report.weights({"import": {"a": [1.0, 3.0], "b": [4.0]}, "memory": {"a": [40.0]}})
    assert shown.splitlines()[2:] == ["| a | 2.0 | 40.0 |", "| b | 4.0 | - |"]


@pytest.mark.parametrize("theme", report.THEMES)
def test_plot_is_xml_with_the_shortest_bar_first_in_its_group(theme: str) -> None:
    root = ET.fromstring(report.svg(FIGURES, theme))  # written here
    space = "{http://www.w3.org/2000/svg}"
    texts = [each.text for each in root.iter(f"{space}text")]
    assert texts == [
        *("get, µs", "raw socket", "10.0", "dvcache", "13.0", "a<b", "26.0"),
        *("aget, one after another, µs", "dvcache", "30.0"),
    ]
    background, *bars = [float(each.get("width", "nan")) for each in root.iter(f"{space}rect")]
    assert (background, bars) == (640.0, pytest.approx([153.8, 200.0, 400.0, 400.0]))
