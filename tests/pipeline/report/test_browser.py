"""The page in a real browser: playback, sorting, no requests, small screens and the dark theme."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from tests.waiting import LONG_S

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--window-size=1200,900",
    "--autoplay-policy=no-user-gesture-required", "--force-prefers-reduced-motion",
)  # fmt: skip
ATTEMPTS = 5  # the driver has half a minute to start, and the browser one: neither can be given more
SPEAKERS = "Test speakers: UAR, accuracy, and recall per class"


@pytest.fixture(scope="module")
def page(make_sample: Any) -> Path:
    """A page whose clips are called like scripts."""
    clip_ids = [f"<script>window.intruder = {number}</script>" for number in range(240)]
    sample = make_sample(clip_ids=clip_ids, corpus="<script>window.intruder = true</script>")
    sample.add_everything_else()
    sample.add_shards(num_samples=24_000)
    sample.page()
    return Path(sample.reports / "index.html")


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    browser, bridge = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if not (browser and bridge):
        missing = "no chromium and chromedriver: install Debian's chromium and chromium-driver"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    found = None
    for attempt in range(ATTEMPTS):
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        options.timeouts = dict.fromkeys(("pageLoad", "script"), int(1000 * LONG_S))
        try:
            found = webdriver.Chrome(options=options, service=webdriver.ChromeService(bridge))
            break
        except WebDriverException:
            if attempt == ATTEMPTS - 1:
                raise
    assert found
    yield found
    found.quit()


@pytest.fixture
def opened(driver: webdriver.Chrome, page: Path) -> webdriver.Chrome:
    """The page, freshly loaded from its file, with empty logs."""
    for log in ("browser", "performance"):
        driver.get_log(log)
    driver.get(page.as_uri())
    return driver


def wait_for(driver: webdriver.Chrome, script: str) -> None:
    WebDriverWait(driver, LONG_S).until(lambda browser: browser.execute_script(f"return {script}"), script)


def play(driver: webdriver.Chrome) -> None:
    """Play the first clip, over and over: it must not end before a busy machine has looked."""
    driver.execute_script("const audio = document.querySelector('audio'); audio.loop = true; audio.play()")
    wait_for(driver, "document.querySelector('audio').currentTime > 0")


def first_cells(driver: webdriver.Chrome, caption: str) -> list[str]:
    """First cell of every row of a table."""
    script = """
        const table = [...document.querySelectorAll("table")].find((t) => t.caption.textContent === arguments[0]);
        return [...table.tBodies[0].rows].map((row) => row.cells[0].textContent);
    """
    found: list[str] = driver.execute_script(script, caption)
    return found


def button(driver: webdriver.Chrome, caption: str, text: str) -> Any:
    """The button in a column's head."""
    path = f"//table[caption='{caption}']/thead//th[button='{text}']/button"
    return driver.find_element(By.XPATH, path)


def sorted_as(head: Any) -> str | None:
    found: str | None = head.find_element(By.XPATH, "..").get_attribute("aria-sort")
    return found


def test_every_clip_can_be_played(opened: webdriver.Chrome) -> None:
    everything = "[...document.querySelectorAll('audio')]"
    opened.execute_script(f"{everything}.forEach((audio) => audio.load())")
    wait_for(opened, f"{everything}.length === 12 && {everything}.every((audio) => audio.readyState >= 1)")
    durations = opened.execute_script(f"return {everything}.map((audio) => audio.duration)")
    assert durations == pytest.approx([1.5] * 12, abs=0.001)
    play(opened)
    wait_for(opened, "document.querySelector('.playhead').style.visibility === 'visible'")


def test_a_click_into_the_picture_goes_there_and_stops_the_other_clip(opened: webdriver.Chrome) -> None:
    play(opened)
    track = opened.find_elements(By.CSS_SELECTOR, ".track")[1]
    opened.execute_script("arguments[0].scrollIntoView({block: 'center'})", track)
    wait_for(opened, "document.querySelectorAll('audio')[1].readyState >= 1")
    ActionChains(opened).move_to_element(track).click().perform()
    wait_for(opened, "document.querySelectorAll('audio')[1].currentTime >= 0.74")
    assert opened.execute_script("return document.querySelector('audio').paused")


def test_a_table_is_sorted_by_click_and_by_keyboard(opened: webdriver.Chrome) -> None:
    before = first_cells(opened, SPEAKERS)
    by_name = button(opened, SPEAKERS, "Speaker")
    by_name.click()
    assert (first_cells(opened, SPEAKERS), sorted_as(by_name)) == (["ann", "eve"], "ascending")
    by_name.send_keys(Keys.ENTER)
    assert (first_cells(opened, SPEAKERS), sorted_as(by_name)) == (["eve", "ann"], "descending")
    by_score = button(opened, SPEAKERS, "UAR")
    by_score.send_keys(Keys.SPACE)
    assert (first_cells(opened, SPEAKERS), sorted_as(by_score)) == (before, "ascending")
    assert sorted_as(by_name) is None
    assert opened.switch_to.active_element == by_score


def test_numbers_sort_as_numbers_and_clean_speech_beyond_them(opened: webdriver.Chrome) -> None:
    noise = "Test clips under noise: rain & dogs"
    by_snr = button(opened, noise, "SNR in dB")
    by_snr.click()
    assert first_cells(opened, noise) == ["−5", "0", "20", "clean"]
    by_snr.click()
    assert first_cells(opened, noise) == ["clean", "20", "0", "−5"]


def test_all_can_be_reached_by_the_tab_key_in_the_order_of_the_page(opened: webdriver.Chrome) -> None:
    links = opened.find_elements(By.CSS_SELECTOR, "nav a")
    listed = [link.get_dom_attribute("href") for link in links]
    sections = [
        f"#{section.get_dom_attribute('id')}"
        for section in opened.find_elements(By.CSS_SELECTOR, "section[id]")
    ]
    assert [name for name in sections if name in listed] == listed
    seen = []
    for _ in range(len(links) + 1):
        ActionChains(opened).send_keys(Keys.TAB).perform()
        seen.append(opened.execute_script("return document.activeElement.getAttribute('href')"))
    assert seen == ["#summary", *listed]  # first the link that skips the navigation


def test_a_clip_called_script_stays_text(opened: webdriver.Chrome) -> None:
    assert opened.execute_script("return window.intruder === undefined")
    shown = opened.find_element(By.CSS_SELECTOR, ".mistakes li p").text
    assert shown.startswith("<script>window.intruder = ")
    assert len(opened.find_elements(By.TAG_NAME, "script")) == 1


def test_no_requests_and_no_errors(opened: webdriver.Chrome) -> None:
    play(opened)
    events = [json.loads(entry["message"])["message"] for entry in opened.get_log("performance")]
    asked = {
        event["params"]["request"]["url"].partition(":")[0]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    }
    assert asked
    assert asked <= {"file", "data"}
    assert opened.get_log("browser") == []


def test_the_page_fits_a_phone(opened: webdriver.Chrome) -> None:
    size = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        widths = opened.execute_script("return [window.innerWidth, document.documentElement.scrollWidth]")
    finally:
        opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert widths == [390, 390]


def test_pictures_follow_the_dark_theme(opened: webdriver.Chrome) -> None:
    script = """
        const style = (name) => getComputedStyle(document.querySelector(name));
        return [style("body").backgroundColor, style(".picture text").fill, style(".spectrogram").filter];
    """
    colours = {}
    for mode in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": mode}]
        opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        colours[mode] = opened.execute_script(script)
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert colours["light"] == ["rgb(252, 252, 250)", "rgb(29, 35, 42)", "none"]
    assert colours["dark"] == ["rgb(20, 24, 28)", "rgb(228, 231, 232)", "invert(1)"]
