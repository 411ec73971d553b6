"""Names out of files are shown and never obeyed: by a terminal, by Markdown, by LaTeX."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mmbench.cli.main import main

NET = """
import torch

class Net(torch.nn.Module):
    modalities = ("rgb", "depth")
    def __init__(self):
        super().__init__()
        self.head = torch.nn.Conv2d(4, 5, 1)
    def forward(self, rgb, depth):
        return self.head(torch.cat([rgb, depth], 1))
"""
NAME = "<img src=x onerror=alert(1)>\x1b]0;owned\x07|x.ckpt"


def test_a_hostile_name_in_every_report_and_protocols_in_their_headings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Law: no tag, no control character, no broken table; and a protocol never shares a table with another."""
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(NET)
    head = torch.nn.Conv2d(4, 5, 1)
    with Path(NAME).open("wb") as file:
        torch.save({f"head.{n}": v for n, v in head.state_dict().items()}, file)
    for protocol in ("whole", "mmseg-slide"):
        flags = ["--arch", "net.py:Net", "--inference", protocol, "--device", "cpu", "--limit", "4"]
        assert main(["run", "--suite", "seg", "--tier", "smoke", "--model", f"checkpoint:{NAME}", *flags]) == 0
    printed = {"run": "".join(capsys.readouterr())}
    for form in ("table", "csv", "md", "latex"):
        assert main(["leaderboard", "results", "--format", form]) == 0
        printed[form] = "".join(capsys.readouterr())
    for text in printed.values():
        assert all(c.isprintable() or c in "\n\r" for c in text)
    assert "<img" not in printed["md"]
    assert "&lt;img" in printed["md"]
    for form in ("table", "md", "latex"):
        assert "inference mmseg-slide" in printed[form].replace("\\", "")
    rows = [line for line in printed["md"].splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in rows}) == 1


def test_a_protocol_is_for_segmentation(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--suite", "caption", "--model", "oracle:joint", "--inference", "cmx-ms-flip"]) == 2
    assert "--inference cmx-ms-flip is for segmentation" in capsys.readouterr().err
    assert main(["run", "--suite", "seg", "--model", "oracle:joint", "--inference", "cmx"]) == 2
    assert "There is no inference protocol named 'cmx'" in capsys.readouterr().err
