"""Workbooks that real people send, and some that only somebody with a purpose would: see `make`."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import xlsxwriter

from services.assets.rules.mpan import mpan_check_digit

Row = Mapping[str, str]
BEGUN = datetime(2026, 1, 1)  # noqa: DTZ001  # workbooks know no time zones
NUMBERS = ("RatedCapacity", "GenCapacity", "DemandCapacity", "Latitude", "Longitude", "StorageCapacity_kWh")


def mpan(number: int) -> str:
    """The sound MPAN core of a meter in the east of England."""
    digits = f"10{number:010d}"
    return f"{digits}{mpan_check_digit(digits)}"


def batteries(count: int = 3, **changes: str) -> list[dict[str, str]]:
    """Batteries in Cambridge that pass every rule."""
    return [
        {
            "AssetName": f"Depot battery {number}",
            "AssetCategory": "BESS",
            "RatedCapacity": "2500",
            "GenCapacity": "2500",
            "DemandCapacity": "2400",
            "EffectiveDate": "2090-01-01",
            "CommissioningDate": "2020-06-30",
            "Manufacturer": "Ampere Devices",
            "AssetModel": "AD-2500",
            "SerialNumber": f"AD-{number:06d}",
            "ConnectionStatus": "CONNECTED",
            "ConnectionType": "FIRM",
            "DNOConnection": "UKPN_EPN",
            "ImportMPAN": mpan(7000 + number),
            "Latitude": "52.2053",
            "Longitude": "0.1218",
            "Postcode": "CB1 2JD",
            "StorageCapacity_kWh": "5000",
            **changes,
        }
        for number in range(1, count + 1)
    ]


Cells = Callable[[Any, Any], None]


def workbook(fill: Cells) -> bytes:
    """A workbook that `fill` writes, given the book and its first sheet."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"created": BEGUN})
        fill(book, book.add_worksheet("Portfolio"))
    return buffer.getvalue()


def put(sheet: Any, rows: Sequence[Row], first: int = 0, headings: Sequence[str] = ()) -> None:
    """Headings and rows from a row on; numbers as numbers."""
    for column, heading in enumerate(headings or rows[0]):
        sheet.write_string(first, column, heading)
    for at, row in enumerate(rows, first + 1):
        for column, (term, said) in enumerate(row.items()):
            _ = sheet.write_number(at, column, float(said)) if term in NUMBERS else sheet.write_string(at, column, said)


def repacked(data: bytes, parts: Mapping[str, bytes]) -> bytes:
    """A workbook with some of its parts replaced, or added."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in dict.fromkeys([*old.namelist(), *parts]):
            new.writestr(zipfile.ZipInfo(name), parts.get(name) or old.read(name), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def plain() -> bytes:
    """A workbook as it should be."""
    return workbook(lambda _book, sheet: put(sheet, batteries()))


def _part(data: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        return packed.read(name)


def merged_headings() -> bytes:
    """Two rows of headings: most merged downwards, the position under a heading of its own."""

    def fill(_book: Any, sheet: Any) -> None:
        rows = batteries()
        put(sheet, rows, 1)
        for column, heading in enumerate(rows[0]):
            if heading not in ("Latitude", "Longitude"):
                sheet.merge_range(0, column, 1, column, heading)
        place = list(rows[0]).index("Latitude")
        sheet.merge_range(0, place, 0, place + 1, "Where it stands")

    return workbook(fill)


def totals() -> bytes:
    """A row of sums below the assets, as a spreadsheet's button puts it there."""

    def fill(_book: Any, sheet: Any) -> None:
        put(sheet, batteries())
        sheet.write_string(4, 0, "Total")
        sheet.write_formula(4, 2, "=SUM(C2:C4)", None, 7500)

    return workbook(fill)


SERIAL = {"EffectiveDate": date(2090, 1, 1), "CommissioningDate": date(2020, 6, 30)}


def serial(day: date) -> int:
    """The number that a spreadsheet keeps of a day."""
    return (day - date(1899, 12, 30)).days


def serial_dates() -> bytes:
    """Dates as the numbers that are behind them."""

    def fill(_book: Any, sheet: Any) -> None:
        rows = batteries()
        put(sheet, rows)
        for term, day in SERIAL.items():
            for at in range(1, 4):
                sheet.write_number(at, list(rows[0]).index(term), serial(day))

    return workbook(fill)


def empty_rows() -> bytes:
    """Two rows of nothing between the assets, and three above all."""

    def fill(_book: Any, sheet: Any) -> None:
        rows = batteries()
        put(sheet, rows[:1], 3)
        for at, row in ((7, rows[1]), (9, rows[2])):
            for column, (term, said) in enumerate(row.items()):
                _ = (
                    sheet.write_number(at, column, float(said))
                    if term in NUMBERS
                    else sheet.write_string(at, column, said)
                )

    return workbook(fill)


def broken_headings() -> bytes:
    """Headings that were broken into lines to make the columns narrow."""
    said = {"RatedCapacity": "Rated\ncapacity\r\n(kW)", "AssetName": "Asset\nname", "ImportMPAN": "Import\nMPAN"}
    return workbook(lambda _b, sheet: put(sheet, batteries(), 0, [said.get(term, term) for term in batteries()[0]]))


def macros() -> bytes:
    """A workbook with a part for macros, such as it is."""
    return repacked(
        plain(), {"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0" + b"Auto_Open Shell calc.exe ".ljust(512, b"\0")}
    )


def no_result() -> bytes:
    """A formula as programs write it that don't calculate, and one that ended in an error."""

    def fill(_book: Any, sheet: Any) -> None:
        rows = batteries()
        put(sheet, rows)
        place = list(rows[0]).index("RatedCapacity")
        sheet.write_formula(1, place, "=5*500", None, "")
        sheet.write_formula(2, place, "=VLOOKUP(A3,Other!A:B,2)", None, "#REF!")

    made = workbook(fill)
    sheet = _part(made, "xl/worksheets/sheet1.xml").replace(b"</f><v></v>", b"</f>")
    return repacked(made, {"xl/worksheets/sheet1.xml": sheet})


def several_sheets() -> bytes:
    """Assets on two sheets."""

    def fill(book: Any, sheet: Any) -> None:
        rows = batteries()
        put(sheet, rows[:2])
        put(book.add_worksheet("New sites"), rows[2:])

    return workbook(fill)


def hidden_sheet() -> bytes:
    """Last year's portfolio on a hidden sheet, with more columns than this year's; and notes on a third."""

    def fill(book: Any, sheet: Any) -> None:
        put(sheet, batteries())
        old = book.add_worksheet("2025")
        put(old, batteries(5, FriendlyCode="OLD", Easting="545000", Northing="258000"))
        old.hide()
        book.add_worksheet("Notes").write_string(0, 0, "Ask Priya about the third one")

    return workbook(fill)


def far_cell() -> bytes:
    """A space typed into the last cell of a sheet by mistake: together with the first one, half a terabyte of cells."""

    def fill(_book: Any, sheet: Any) -> None:
        put(sheet, batteries())
        sheet.write_string(1_048_575, 16_383, " ")

    return workbook(fill)


def hidden_far_cell() -> bytes:
    """The same, in a workbook that doesn't say how far it reaches."""
    made = far_cell()
    sheet = _part(made, "xl/worksheets/sheet1.xml")
    begin, end = sheet.index(b"<dimension"), sheet.index(b"<sheetViews")
    return repacked(made, {"xl/worksheets/sheet1.xml": sheet[:begin] + sheet[end:]})


def entity() -> bytes:
    """A workbook whose texts ask for a file of the machine that reads them, and for more text than it can hold."""
    made = plain()
    strings = _part(made, "xl/sharedStrings.xml")
    begin = strings.index(b"<sst")
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(12))
    kind = f'<!DOCTYPE sst [<!ENTITY secret SYSTEM "file:///etc/passwd">{levels}]>'.encode()
    asking = (
        strings[begin:].replace(b"Depot battery 1", b"Depot &secret; 1").replace(b"Depot battery 2", b"Depot &l11; 2")
    )
    return repacked(made, {"xl/sharedStrings.xml": strings[:begin] + kind + asking})


def _deflated(size: int) -> bytes:
    """As many spaces, deflated, without ever holding them."""
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    # What is flushed in full stands for itself, so it can be repeated.
    block = packing.compress(b" " * (1 << 20)) + packing.flush(zlib.Z_FULL_FLUSH)
    return block * (size >> 20) + packing.flush()


def bomb(says: int | None = None) -> bytes:
    """A workbook of a few megabytes that unpacks to 4 GB; `says` is the size that it claims, its true one by default."""
    size = 4 << 30
    packed = _deflated(size)
    claimed = min(size, 0xFFFFFFFE) if says is None else says
    made = plain()
    local, central, offset = [], [], 0
    with zipfile.ZipFile(io.BytesIO(made)) as old:
        parts = [(name, old.read(name)) for name in old.namelist() if name != "xl/worksheets/sheet1.xml"]
    entries = [(name, zlib.crc32(said), zlib.compress(said)[2:-4], len(said)) for name, said in parts]
    for name, check, content, length in [*entries, ("xl/worksheets/sheet1.xml", 0, packed, claimed)]:
        facts = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, check, len(content), length, len(name), 0)
        local.append(b"PK\x03\x04" + facts + name.encode() + content)
        central.append(
            b"PK\x01\x02" + struct.pack("<H", 20) + facts + struct.pack("<HHHII", 0, 0, 0, 0, offset) + name.encode()
        )
        offset += len(local[-1])
    tail = struct.pack("<HHHHIIH", 0, 0, len(local), len(local), sum(map(len, central)), offset, 0)
    return b"".join([*local, *central, b"PK\x05\x06", tail])


def compound(*names: str) -> bytes:
    """A compound file, as old and protected workbooks are, as far as its list of parts."""
    header = (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + b"\x3e\0\x03\0\xfe\xff\x09\0").ljust(512, b"\xff")
    parts = b"".join(name.encode("utf-16-le").ljust(64, b"\0").ljust(128, b"\0") for name in ("Root Entry", *names))
    return header + parts.ljust(1024, b"\0")


def zipped(name: str, said: bytes) -> bytes:
    """An archive with one file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr(zipfile.ZipInfo(name), said)
    return buffer.getvalue()
