"""Text of models and servers where people read it: spreadsheets, terminals."""

import logging

import polars as pl

from selfincorrect.io import write_csv
from selfincorrect.jobs.job import PlainFormatter


def test_formulas_are_text_in_a_spreadsheet_and_numbers_stay_numbers(tmp_path):
    texts = ["=HYPERLINK(1)", "+1+cmd", "-3", "-1,200.5", "@SUM", "plain", None, "-x", "\tx"]
    write_csv(tmp_path / "t.csv", pl.DataFrame({"text": texts, "number": range(len(texts))}))
    found = pl.read_csv(tmp_path / "t.csv")["text"].to_list()
    assert found == ["'=HYPERLINK(1)", "'+1+cmd", "-3", "-1,200.5", "'@SUM", "plain", None, "'-x", "'\tx"]


def test_control_characters_never_reach_a_terminal():
    record = logging.LogRecord(
        "x", logging.INFO, "", 0, "it says \x1b]0;evil\x07 and\n\tgoes on\r\x9b2J", (), None
    )
    shown = PlainFormatter("%(message)s").format(record)
    assert shown == "it says \ufffd]0;evil\ufffd and\n\tgoes on\ufffd\ufffd2J"
