"""The report of a resident's request as a page that prints on A4."""

from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from backend.rectification.presenting import Shape

KINDS: Final = {
    "record": "走访或上报记录",
    "step": "整改过程",
    "order": "交办单",
    "notice": "告知或通知文书",
    "notice_service": "文书送达",
    "evacuation": "危房处置记录",
    "quarantine": "待处理的上报内容",
}
PAGES: Final = Environment(loader=PackageLoader("backend.privacy"), autoescape=True, undefined=StrictUndefined)


def report_page(report: Shape) -> str:
    """The page of a report that carries its ``watermark``."""
    return PAGES.get_template("report.html").render(report=report, KINDS=KINDS)
