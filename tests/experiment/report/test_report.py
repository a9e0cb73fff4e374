"""The report in a real browser: what a person sees, clicks and reaches by keyboard."""

import shutil

import pytest
from commands import run_command

from optmap.compare import main
from optmap.experiment.report.html import report_html
from optmap.experiment.report.pictures import PICTURES
from optmap.experiment.row import Row
from optmap.experiment.run.store import Store

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1300,1000",
)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    (folder / "platforms").mkdir()
    (folder / "platforms" / "p.toml").write_text(
        'schema = 1\nname = "tiny"\n[interconnect]\nkind = "mesh"\nwidth = 2\nheight = 2\n'
        "[[tiles]]\nrows = 6\ncolumns = 4\n"
    )
    (folder / "a.toml").write_text(
        'schema = 1\nname = "<b>odd & name"\nnetwork = "gen:mlp-9-8-4"\n'
        'platform = "platforms/p.toml"\n'
    )
    (folder / "b.toml").write_text(
        'schema = 1\nname = "b"\nnetwork = "gen:mlp-5-3"\nplatform = "platforms/p.toml"\n'
    )
    options = ["--limit", 2, "--out", folder / "run", "--methods", "song2020,cpsat"]
    done = run_command(main, folder, *options)
    assert done.returncode == 0, done.stderr
    return folder / "run"


def test_the_page_is_one_file_without_network(run_folder):
    page = (run_folder / "report.html").read_text()
    assert len(page) < 6_000_000
    for outside in ("http://", "https://", "src=", "@import", "<link"):
        assert outside not in page.split('id="packed-plotly"')[0]
    assert "<b>odd" not in page


def test_a_run_without_any_mapping_still_has_a_page():
    row = Row("k", "i", "d", "m", 0, "error", "not_run", "broken", wall_s=0.1)
    assert "1 failed" in report_html([row], {}, {})


@pytest.fixture(scope="module")
def browser():
    if not (CHROMIUM and DRIVER):
        pytest.skip("no chromium with chromedriver on this machine")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for flag in FLAGS:
        options.add_argument(flag)
    options.binary_location = CHROMIUM
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, run_folder):
    from selenium.webdriver.support.ui import WebDriverWait

    browser.get((run_folder / "report.html").as_uri())
    WebDriverWait(browser, 60).until(
        lambda b: b.find_element("tag name", "body").get_attribute("data-ready") == "yes"
    )
    return browser


def test_a_click_on_a_row_shows_its_mapping(page, run_folder):
    lines = page.find_elements("css selector", "#rows tbody tr")
    with Store.opened(run_folder) as store:
        assert len(lines) == len(store.rows) == 4
        row = store.rows[lines[1].get_attribute("data-key")]
    lines[1].click()
    title = page.find_element("id", "details-title")
    assert title.text == f"{row['instance']}: {row['method']}"
    for picture in PICTURES:
        assert page.find_element("css selector", f"#{picture} svg.main-svg").is_displayed()
    crossbars = page.find_elements("css selector", "#crossbars .hm image")
    assert len(crossbars) == min(row["metrics"]["clusters"], 3)
    assert page.find_elements("css selector", "#schedule .bars path")
    assert row["critical_cycle"][0] in page.find_element("id", "details").text
    assert not [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"]


def test_the_keyboard_reaches_rows_and_sorting(page):
    from selenium.webdriver.common.keys import Keys

    line = page.find_elements("css selector", "#rows tbody tr")[0]
    line.send_keys(Keys.ENTER)
    assert page.find_element("id", "details-title").is_displayed()
    before = [x.text for x in page.find_elements("css selector", "#rows tbody tr td:nth-child(2)")]
    page.find_elements("css selector", "#rows th button")[1].send_keys(Keys.ENTER)
    after = [x.text for x in page.find_elements("css selector", "#rows tbody tr td:nth-child(2)")]
    assert [text[1:] for text in before] == ["song2020", "cpsat"] * 2  # after the group's mark
    assert [text[1:] for text in after] == ["cpsat"] * 2 + ["song2020"] * 2


def test_question_picture_and_small_table_stand_on_the_first_screen(page):
    lines = page.find_elements("css selector", "#best-of-groups tbody tr")
    assert [line.text.split()[0][1:] for line in lines] == ["song2020", "cpsat"]
    assert page.find_elements("css selector", "#relative .scatterlayer path.point")
    assert "throughput of the published flow" in page.find_element("id", "answer").text
    for part in ("answer", "relative", "best-of-groups"):
        rect = page.find_element("id", part).rect
        assert rect["y"] + rect["height"] < 1000
    tops = [page.find_element("id", i).location["y"] for i in ("overview", "decisions", "all-rows")]
    assert tops == sorted(tops)


def test_a_chosen_instance_and_metric_filter_every_part(page):
    from selenium.webdriver.support.ui import Select

    Select(page.find_element("id", "instance")).select_by_value("b")
    Select(page.find_element("id", "metric")).select_by_value("clusters")
    shown = [x for x in page.find_elements("css selector", "#rows tbody tr") if x.is_displayed()]
    assert [line.text.split()[0] for line in shown] == ["b", "b"]
    assert "clusters" in page.find_element("css selector", "#matrix thead").text
    assert len(page.find_elements("css selector", "#matrix td.open")) == 2
    page.find_elements("css selector", "#matrix td.open")[0].click()
    assert page.find_element("id", "details-title").text.startswith("b: ")
    assert not [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"]


#: What a screen reader announces and a keyboard reaches, and has no name of its own.
NAMELESS = """
const name = (e) => (e.getAttribute("aria-label") || "").trim() || e.textContent.trim() ||
  (e.getAttribute("aria-labelledby") || "").split(" ").map((i) =>
    (document.getElementById(i) || {textContent: ""}).textContent).join("").trim() ||
  [...(e.labels || [])].map((l) => l.textContent).join("").trim();
const all = "a, button, select, section, nav, [tabindex], [role], .js-plotly-plot";
return [...document.querySelectorAll(all)].filter((e) => !e.closest("svg") && !name(e))
  .concat([...document.querySelectorAll(".js-plotly-plot:not([role=img][aria-label])")])
  .map((e) => e.outerHTML.slice(0, 80));
"""


@pytest.mark.parametrize("width", [1440, 1024])
def test_everything_has_a_name_and_nothing_is_wider_than_the_window(page, width):
    page.set_window_size(width, 900)
    page.find_elements("css selector", "#rows tbody tr")[0].click()
    assert page.execute_script(NAMELESS) == []
    assert len(page.find_elements("css selector", ".js-plotly-plot")) >= 4
    wide = page.execute_script("return document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
