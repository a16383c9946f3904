"""The charts of qualified power: the way there, over time, by kind, by product and GSP group."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from models.products import FAMILY_LABELS, Family
from pages.components.common.figure import Figure
from pages.components.dashboard import links
from pages.components.dashboard.chart_card import Chart, ChartRow, Manner, Target, is_dark, legend_below
from services.assets.counters.others import OTHERS as SUMMED
from services.core.clock import show_date
from services.market.qualification.filters import SEVERAL_GROUPS
from services.market.statistics.model import Dimension, MarketNumbers, Series, Stage, merge_withheld

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7A7A7A")
"""Okabe and Ito's, told apart with every common kind of colour blindness; the last one is for all that is left."""
FAMILY_COLOURS = dict(zip(Family, COLOURS, strict=False))
ASSETS_COLOUR = "#7A7A7A"
DIMENSION_LABELS = {
    Dimension.SUB_MARKET: "Sub-market",
    Dimension.PRODUCT: "Product",
    Dimension.GSP_GROUP: "GSP group",
    Dimension.OPERATOR: "SO",
}
OTHER_LABELS = {
    Dimension.SUB_MARKET: "Other sub-markets",
    Dimension.PRODUCT: "Other products",
    Dimension.GSP_GROUP: "Other GSP groups",
    Dimension.OPERATOR: "Other SOs",
}
OTHERS = "All others"
WITHHELD = "withheld"
NONE_QUALIFIED = (
    "Nothing is qualified here on this day. Power appears once an SO has qualified a unit for a product; clear the filters, or "
    "choose a later day."
)
ROOM, WIDE_ROOM = 1.2, 1.95
"""How much longer an axis is than its longest bar, so that what stands beside the bar has room."""
TOO_FEW = "Every figure here is withheld: too few applications, or too few providers, stand behind each of them."
ROW, SHORT = 34, 26
"""Pixels of one bar, and the characters of its name on the axis."""


def megawatts(kw: Decimal | None) -> float | None:
    """kW as MW for a chart."""
    return None if kw is None else float(kw) / 1000


def all_withheld(figures: Iterable[object]) -> bool:
    """Tell whether every figure of a chart is withheld or nought, and some are withheld."""
    values = list(figures)
    return None in values and not any(values)


def shorten(code: str, label: str) -> str:
    """Shorten a name to the room of an axis: the code of what is called by one, else as much of the name as fits."""
    if label.startswith(f"{code} ") and len(label) > SHORT:
        return code
    return label if len(label) <= SHORT else f"{label[: SHORT - 1]}…"


def show_figure(value: object) -> object:
    """A figure in a table; one that is withheld says so."""
    return WITHHELD if value is None else value


def build_funnel_chart(numbers: MarketNumbers, manner: Manner) -> Chart:
    """Assets on the way from registration to qualification."""
    labels = list(dict.fromkeys(stage.label for stage in numbers.funnel))
    rows = [
        ChartRow(
            {
                "Stage": stage.label,
                "Family": FAMILY_LABELS[stage.family] if stage.family else "All",
                "Assets": show_figure(stage.assets),
            },
            _link_stage(stage, manner),
        )
        for stage in numbers.funnel
    ]
    figure = Figure() if any(stage.assets for stage in numbers.funnel) else None
    for family in (None, *Family):
        mine = [(place, item) for place, item in enumerate(numbers.funnel) if item.family is family]
        if figure is None or not mine or not any(item.assets or item.withheld for _, item in mine):
            continue
        figure.add_bar(
            y=[item.label for _, item in mine],
            x=[item.assets or 0 for _, item in mine],
            orientation="h",
            name=FAMILY_LABELS[family] if family else "All assets",
            marker={"color": FAMILY_COLOURS[family] if family else ASSETS_COLOUR},
            # On a wall, bars of families are too thin for figures of a readable size.
            text=[
                "" if manner.wall and family else WITHHELD if item.withheld else f"{item.assets:,}" for _, item in mine
            ],
            textposition="outside",
            constraintext="none",
            **({"textfont": {"size": 11}} if family else {}),
            **({} if family else {"offset": -0.25, "width": 0.5}),
            cliponaxis=False,
            customdata=[[place] for place, _ in mine],
            hovertemplate="%{y}: %{x:,} assets<extra>%{fullData.name}</extra>",
        )
    if figure is not None:
        most = max(stage.assets or 0 for stage in numbers.funnel)
        figure.update_xaxes(range=[0, most * ROOM], nticks=5)
        figure.update_layout(barmode="group", bargap=0.15, legend=legend_below())
        figure.update_yaxes(categoryorder="array", categoryarray=labels[::-1])
    return Chart(
        "funnel",
        "From registered to qualified",
        "assets now, by family of their unit",
        rows,
        figure,
        "No asset is registered yet in what you may see: the way to the market begins with registering one.",
        "An asset may be in one unit of each family, so families can't be added up. Applied for: not withdrawn.",
        height=500,
        words=[f"{row.values['Stage']}, {row.values['Family']}: {row.values['Assets']}" for row in rows],
    )


def _link_stage(stage: Stage, manner: Manner) -> Target:
    if stage.family is None:
        return links.link_assets(status="VERIFIED" if stage.code == "verified" else None)
    if stage.code == "in_unit":
        return links.link_units(manner, family=str(stage.family), status="ACTIVE")
    return links.link_applications(
        manner, family=str(stage.family), status="QUALIFIED" if stage.code == "qualified" else None
    )


def build_power_chart(numbers: MarketNumbers, dimension: Dimension, manner: Manner) -> Chart:
    """Qualified power by one dimension, as of the day."""
    figures = merge_withheld(numbers.by_dimension[dimension], numbers.qualified, OTHER_LABELS[dimension])
    rows = [
        ChartRow(
            {
                DIMENSION_LABELS[dimension]: entry.label,
                "MW": show_figure(megawatts(entry.kw)),
                "Qualifications": show_figure(entry.count),
            },
            _link_code(dimension, entry.code, manner),
        )
        for entry in figures
    ]
    figure, hidden = None, all_withheld(entry.kw for entry in figures)
    if figures and not hidden:
        figure = Figure().add_bar(
            y=[shorten(entry.code, entry.label) for entry in figures],
            x=[megawatts(entry.kw) or 0 for entry in figures],
            orientation="h",
            marker={"color": COLOURS[0]},
            text=[
                WITHHELD if entry.withheld else f"{megawatts(entry.kw):,.1f} MW · {entry.count:,}" for entry in figures
            ],
            textposition="outside",
            cliponaxis=False,
            customdata=[[entry.label, place] for place, entry in enumerate(figures)],
            hovertemplate="%{customdata[0]}: %{text}<extra></extra>",
        )
        figure.update_yaxes(autorange="reversed", type="category")
        most = max(megawatts(entry.kw) or 0 for entry in figures)
        figure.update_xaxes(range=[0, (most or 1) * WIDE_ROOM], nticks=5)
    return Chart(
        f"qualified-by-{dimension}",
        f"Qualified power by {_name_of(dimension)}",
        f"MW and number of qualifications, as of {show_date(numbers.as_of)}",
        rows,
        figure,
        TOO_FEW if hidden else NONE_QUALIFIED,
        height=150 + ROW * len(figures),
        words=[f"{entry.label}: {show_figure(megawatts(entry.kw))} MW" for entry in figures],
    )


def _name_of(dimension: Dimension) -> str:
    label = DIMENSION_LABELS[dimension]
    return label if label.isupper() or " " in label else label.lower()


def _link_code(dimension: Dimension, code: str, manner: Manner) -> Target | None:
    if code == SUMMED:
        return None
    name = {Dimension.PRODUCT: "product", Dimension.GSP_GROUP: "gsp", Dimension.OPERATOR: "so"}.get(dimension)
    if dimension is Dimension.SUB_MARKET and code:
        return links.link_applications(manner, status="QUALIFIED", product=links.products_in(manner, [code]))
    if dimension is Dimension.GSP_GROUP and not code:
        return links.link_applications(manner, status="QUALIFIED", gsp=SEVERAL_GROUPS)
    if name is None or not code:
        return links.link_applications(manner, status="QUALIFIED")
    return links.link_applications(manner, status="QUALIFIED", **{name: code})


def build_trend_chart(numbers: MarketNumbers, dimension: Dimension, manner: Manner) -> Chart:
    """Qualified power at the end of each month, the largest six of a dimension and the rest."""
    lines = numbers.over_time.get(dimension) or numbers.over_time[Dimension.SUB_MARKET]
    lines = [line for line in lines if any(line.kw) or None in line.kw]
    drawn = [*lines[: len(COLOURS) - 1], *_sum_rest(lines[len(COLOURS) - 1 :])]
    rows = [
        ChartRow(
            {
                "Until": day.isoformat(),
                DIMENSION_LABELS[dimension]: line.label,
                "MW": show_figure(megawatts(line.kw[place])),
            },
            _link_code(dimension, line.code, manner),
        )
        for line in lines
        for place, day in enumerate(numbers.months)
    ]
    figure, months = Figure() if any(any(line.kw) for line in drawn) else None, len(numbers.months)
    for place, line in enumerate(drawn):
        if figure is not None:
            figure.add_scatter(
                x=numbers.months,
                y=[megawatts(kw) for kw in line.kw],
                name=line.label,
                # Points, since it is points that a click opens.
                mode="lines+markers",
                stackgroup=None if len(drawn) == 1 else "all",
                connectgaps=True,
                line={"color": COLOURS[place], "width": 2.5},
                marker={"size": 6},
                # What is drawn as one of all others has no row of its own.
                customdata=[[-1 if line.label == OTHERS else place * months + n] for n in range(months)],
                hovertemplate="%{x|%-d %b %Y}: %{y:,.1f} MW<extra>%{fullData.name}</extra>",
            )
    if figure is not None:
        figure.update_layout(legend=legend_below(), hovermode="x unified")
        figure.update_xaxes(tickformat="%b %Y", nticks=5)
        figure.update_yaxes(rangemode="tozero", title={"text": "MW"}, nticks=6)
    by = "" if numbers.anonymised else f" by {_name_of(dimension)}"
    return Chart(
        "qualified-over-time",
        "Qualified power over time",
        f"MW at the end of each month{by}",
        rows,
        figure,
        NONE_QUALIFIED,
        "Months in which too little changed to be told are left out." if numbers.anonymised else "",
        height=430,
        words=[f"{line.label}: {show_figure(megawatts(line.kw[-1]))} MW" for line in drawn],
    )


def _sum_rest(lines: Sequence[Series]) -> list[Series]:
    if not lines:
        return []
    sums = [
        sum((kw or Decimal(0) for kw in month), Decimal(0)) for month in zip(*(line.kw for line in lines), strict=True)
    ]
    return [Series("", OTHERS, list(sums))]


def build_heat_map(numbers: MarketNumbers, manner: Manner) -> Chart:
    """Qualified power by product and GSP group."""
    names = numbers.labels or {}
    products = sorted({cell.product for cell in numbers.heat})
    groups = sorted({cell.gsp_group for cell in numbers.heat}, key=lambda code: (not code, code))
    place = {(cell.product, cell.gsp_group): number for number, cell in enumerate(numbers.heat)}
    rows = [
        ChartRow(
            {
                "Product": names.get(cell.product, cell.product),
                "GSP group": names.get(cell.gsp_group, cell.gsp_group) or "Several",
                "MW": show_figure(megawatts(cell.kw)),
                "Qualifications": show_figure(cell.count),
            },
            links.link_applications(
                manner, status="QUALIFIED", product=cell.product, gsp=cell.gsp_group or SEVERAL_GROUPS
            ),
        )
        for cell in numbers.heat
    ]
    figure, hidden = None, all_withheld(cell.kw for cell in numbers.heat)
    if rows and not hidden:
        places = [[place.get((product, group)) for group in groups] for product in products]
        cells = [[None if n is None else numbers.heat[n] for n in line] for line in places]
        figure = Figure().add_heatmap(
            x=[code or "Several" for code in groups],
            y=products,
            z=[[None if cell is None else megawatts(cell.kw) for cell in line] for line in cells],
            text=[
                ["" if cell is None else "x" if cell.withheld else f"{megawatts(cell.kw):,.3g}" for cell in line]
                for line in cells
            ],
            texttemplate="%{text}",
            textfont={"size": 14},
            customdata=[[[-1 if n is None else n] for n in line] for line in places],
            colorscale="Cividis" if is_dark() else "Cividis_r",
            colorbar={"title": {"text": "MW"}, "thickness": 12},
            hovertemplate="%{y} in %{x}: %{z:,.2f} MW<extra></extra>",
            xgap=2,
            ygap=2,
        )
        figure.update_xaxes(type="category", side="bottom")
        figure.update_yaxes(type="category", autorange="reversed")
    return Chart(
        "product-by-gsp-group",
        "Qualified power by product and GSP group",
        f"MW, as of {show_date(numbers.as_of)}",
        rows,
        figure,
        TOO_FEW if hidden else NONE_QUALIFIED,
        "x: withheld."
        if any(cell.withheld for cell in numbers.heat)
        else "Several: the unit's assets lie in several GSP groups.",
        height=170 + ROW * len(products),
        words=[f"{row.values['Product']}, {row.values['GSP group']}: {row.values['MW']} MW" for row in rows],
    )
