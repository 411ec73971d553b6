"""What CI systems read: JUnit XML and workflow commands of GitHub, from findings of any kind.

Names come from data and models: everything is escaped here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from xml.etree import ElementTree

from mmbench.core.errors import ExitCode
from mmbench.reports.printable import printable

FAILURES = (ExitCode.REGRESSION, ExitCode.INCONCLUSIVE)
ERRORS = (ExitCode.UNFIT,)
# GitHub shows so many annotations of a step.
_MOST_ANNOTATIONS = 10


@dataclass(frozen=True, slots=True)
class Case:
    """A finding: ``is_open`` where somebody must look at it, ``code`` the exit code that it asks for."""

    title: str
    name: str
    classname: str
    told: str
    is_open: bool
    code: ExitCode
    severity: Literal["error", "warning", "notice"]
    properties: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_skipped(self) -> bool:
        """Whether it is neither a pass nor a failure."""
        return self.is_open and self.code is ExitCode.OK


def junit(cases: Sequence[Case]) -> str:
    """One test case per metric: regression a failure, unfit an error, inconclusive skipped (a failure by policy)."""
    failed, broken = (sum(case.code in which for case in cases) for which in (FAILURES, ERRORS))
    suite = ElementTree.Element("testsuite", name="mmbench gate", tests=str(len(cases)), failures=str(failed))
    suite.set("errors", str(broken))
    suite.set("skipped", str(sum(case.is_skipped for case in cases)))
    suite.extend(map(_testcase, cases))
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def github(cases: Sequence[Case]) -> str:
    """Workflow commands of GitHub for the first of those that are open; a line each."""
    told = [case for case in cases if case.is_open][:_MOST_ANNOTATIONS]
    return "".join(f"::{case.severity} title={_property(case.title)}::{_message(case.told)}\n" for case in told)


def _testcase(case: Case) -> ElementTree.Element:
    found = ElementTree.Element("testcase", name=printable(case.name), classname=printable(case.classname))
    properties = ElementTree.SubElement(found, "properties")
    for key, value in case.properties.items():
        ElementTree.SubElement(properties, "property", name=key, value=str(value))
    if case.code in (*FAILURES, *ERRORS):
        kind = "error" if case.code in ERRORS else "failure"
        ElementTree.SubElement(found, kind, message=printable(case.told))
    elif case.is_skipped:
        ElementTree.SubElement(found, "skipped", message=printable(case.told))
    return found


def _message(text: str) -> str:
    """Percent, and what ends a line, as the runner's commands want them."""
    return printable(text).replace("%", "%25")


def _property(text: str) -> str:
    return re.sub(r"[:,]", lambda found: f"%{ord(found[0]):02X}", _message(text))
