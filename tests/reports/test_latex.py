"""LaTeX: booktabs, every special character escaped, no row that begins with an option."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.reports.board import View
from mmbench.reports.latex import escape, render

GOLDEN = r"""% needs \usepackage{booktabs} and \usepackage[T1]{fontenc}

\begin{table}
  \caption{seg@1{[}regime=X,tier=ci{]}: RGB and depth segmentation}
  \begin{tabular}{rlrrrrrllll}
    \toprule
    rank & model & miou {[}95\%{]} & phi {[}95\%{]} & params & ms/item & n & modalities & status & flags & execution \\
    \midrule
    1 & my\_model & 0.820 {[}.800, .840{]} & 0.50 {[}.44, .56{]} & 123k & 0.512 & 1024 & rgb+depth & ok & - & cpu fp32 b16 t2 \\
    \midrule
     & \textit{chance} & \textit{0.100} &  &  &  &  &  &  &  &  \\
     & \textit{U{*} rgb} & \textit{0.600} &  &  &  &  &  &  &  &  \\
     & \textit{U{*} depth} & \textit{0.640} &  &  &  &  &  &  &  &  \\
     & \textit{F{*} fused} & \textit{1.000} &  &  &  &  &  &  &  &  \\
    \bottomrule
  \end{tabular}
\end{table}

% Intervals: bootstrap over groups, 1000 draws.
% execution: device, precision, batch size (b) and threads (t).
% phi = (score - U*)/(F* - U*) is the share of the attainable fusion gain; U* is the best single modality.
% Also measured: pixel_accuracy (--metric NAME, or the CSV).
% Licence of the data: Apache-2.0.
"""  # noqa: E501  a row of the table is a line


def test_golden(build, board):
    assert render(board(build.run("my_model", 0.82)), View()) == GOLDEN


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("&%$#_{}", r"\&\%\$\#\_\{\}"),
        ("\\", r"\textbackslash{}"),
        ("~^", r"\textasciitilde{}\textasciicircum{}"),
        ("<|>", r"\textless{}\textbar{}\textgreater{}"),
        ("[x]*", "{[}x{]}{*}"),
        ("\\input{/etc/passwd}", r"\textbackslash{}input\{/etc/passwd\}"),
        ("a\nb", r"a\textbackslash{}nb"),
    ],
)
def test_escapes(text, escaped):
    assert escape(text) == escaped


@given(st.text(st.characters()))
def test_no_special_character_is_left(text):
    """Property: what remains outside our own commands is plain text, and braces balance."""
    out = escape(text)
    plain = re.sub(r"\\text[a-z]+\{\}|\\[&%$#_{}]|\{[\[\]*]\}", "", out)
    assert not set(plain) & set('\\&%$#_{}~^<>|"[]*\n\r')


def test_a_remark_cannot_leave_its_comment(build, board):
    text = render(board(build.run("a", title="t", licence="x\n\\input{y}")), View())
    assert r"% Licence of the data: x\n\input{y}." in text
