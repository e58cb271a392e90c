"""Makes one HTML page of a report: everything is in it, and it loads nothing.

Each value that the template prints is made inert and then escaped. A content security policy lets the page run its own
scripts, by their digests, and reach no network.
"""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from expiac.analysis.curves import Curves
from expiac.analysis.wording import short_text
from expiac.report import charts, sweep_charts
from expiac.report.embedding import asset, content_policy, environment, json_text
from expiac.report.files import MARK
from expiac.report.inert import inert, inert_values
from expiac.report.model import Report
from expiac.util.version import VERSION

LONGEST = 300
"""Characters of a value in the page; logs and diffs are cut where they are read."""
SHORT = 60
"""Characters of a value in a cell."""
CHARTS_AT_ONCE = 6
_LONG = 1 << 20
_FOLDER = "page"
_SCRIPTS = ("theme.js", "charts.js", "sweeps.js", "replays.js", "page.js")


def page(report: Report, *, live: str = "") -> bytes:
    """The page as a file; `live` is the version of a page that a server keeps fresh."""
    scripts = [Markup(script) for script in (charts.library(), *(asset(_FOLDER, name) for name in _SCRIPTS))]
    templates = environment(_FOLDER, finalize=_finalize)
    templates.filters["short"] = lambda text: short_text(inert(text, LONGEST), SHORT)
    templates.filters["long"] = lambda text: Markup("{}").format(inert(text, _LONG))
    html = templates.get_template("page.html").render(
        report=report, title=f"{report.stack}: report", mark=Markup(MARK.decode()), version=VERSION, live=live,
        policy=content_policy(scripts, connects=bool(live)), style=Markup(asset(_FOLDER, "style.css")),
        scripts=scripts, data=_data(report), charts=report.curves[:CHARTS_AT_ONCE],
        more_charts=report.curves[CHARTS_AT_ONCE:],
        thinned=[curves for curves in report.curves if curves.is_thinned])
    return html.encode(errors="replace")


def _finalize(value: Any) -> Any:
    return inert(value, LONGEST) if isinstance(value, str) and not isinstance(value, Markup) else value


def _data(report: Report) -> Markup:
    """The data of the scripts as JSON that cannot end the element that it stands in."""
    place = {arm.name: index for index, arm in enumerate(report.arms)}
    data = {
        "stack": report.stack,
        "arms": [{"label": arm.label, "runs": [*arm.instances]} for arm in report.arms],
        "runs": [{"name": run.job, "instance": run.instance, "arm": place[run.arm]} for run in report.runs],
        "charts": [_chart(curves) for curves in report.curves],
        "step": report.step,
        "replays": [{"title": replay.title, **replay.episode} for replay in report.replays],
    }
    labels = [inert(arm.label, LONGEST) for arm in report.arms]
    made = {**inert_values(data, LONGEST), "spec": charts.page_spec(labels, inert(report.step, LONGEST)),
            "sweeps": [sweep_charts.page_specs(sweep.drawn) for sweep in report.sweeps]}
    return json_text(made)


def _chart(curves: Curves) -> dict[str, Any]:
    return {"metric": curves.metric, "steps": list(curves.steps),
            "values": {instance: list(values) for instance, values in curves.values.items()}}
