"""Certificate of a qualification as a PDF, for whoever may see the qualification (UC-04.02)."""

import unicodedata
from dataclasses import dataclass
from uuid import UUID

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from models.participants import Organisation
from models.qualifications import DataPackage, Qualification, QualificationStatus
from models.units import MarketUnit
from services.core.access_log import log_access
from services.core.clock import now, show_date, show_moment
from services.core.errors import Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import see
from services.core.operation import operation
from services.core.settings import settings
from services.core.transaction import current_session
from services.market.products.catalogue import find_version

INK, BLUE, GREY = (20, 33, 43), (11, 95, 138), (74, 86, 97)
FONT = "Helvetica"
MARGIN_MM, LABEL_MM = 22, 48


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate as a file to download."""

    file_name: str
    content: bytes


@operation("UC-04.02", permission="qualification.read", name="read_certificate")
def read_certificate(actor: Actor, qualification_id: UUID) -> Certificate:
    """Write the certificate of a qualification as PDF; the access log keeps who read it.

    Raises NotFound when the application is unseen, Refused while it isn't qualified.
    """
    qualification = see(Qualification, actor, qualification_id)
    if qualification.status is not QualificationStatus.QUALIFIED:
        raise Refused("Only a qualification in force has a certificate. The application's page says what is missing.")
    log_access(actor, "certificate.read", Qualification.record_type(), qualification.id)
    name = f"{qualification.product_code}-{qualification.id}-certificate.pdf"
    return Certificate(name, _draw(qualification, describe_qualification(qualification)))


def describe_qualification(qualification: Qualification) -> dict[str, str]:
    """The facts on the certificate, by their labels, in order; inside an operation."""
    session = current_session()
    unit = session.get_one(MarketUnit, qualification.unit_id)
    provider = session.get_one(Organisation, qualification.service_provider_id)
    operator = session.get_one(Organisation, qualification.addressed_to)
    package = session.get_one(DataPackage, qualification.package_id)
    version = find_version(qualification.product_code, qualification.product_version)
    number = provider.organisation_registration_number
    facts = {
        "Product": f"{version.code}: {version.name} (version {version.product_version})",
        "Market unit": f"{unit.name} ({unit.code})",
        "Provider": f"{provider.organisation_legal_name}{f', company number {number}' if number else ''}",
        "System operator": operator.organisation_legal_name,
        "Qualified capacity": f"{qualification.capacity:,.2f} kW",
        "Assets in the unit": f"{package.assets:,} when it was assessed",
        "Qualified on": show_moment(qualification.qualified_at or qualification.status_since),
        "Valid": f"{show_date(qualification.valid_from)} to {show_date(qualification.valid_until)}",
        "Conditions": qualification.conditions or "None",
        "Qualification ID": str(qualification.id),
        "Data package": f"SHA-256 {package.sha256}",
    }
    if not qualification.valid_until:
        facts["Valid"] = f"from {show_date(qualification.valid_from)}"
    return facts


def _draw(qualification: Qualification, facts: dict[str, str]) -> bytes:
    """One page of A4."""
    pdf = FPDF(format="A4")
    moment = now()
    pdf.set_creation_date(moment)
    pdf.set_title(_latin(f"Certificate of qualification: {facts['Product']}"))
    pdf.set_author("FMAR")
    pdf.set_lang("en-GB")
    pdf.set_margins(MARGIN_MM, MARGIN_MM)
    pdf.add_page()
    pdf.set_fill_color(*BLUE)
    pdf.rect(0, 0, pdf.w, 9, style="F")
    _write(pdf, "Flexibility Market Asset Registration", 11, GREY)
    _write(pdf, "Certificate of qualification", 24, INK, bold=True)
    if settings().demo:
        _write(pdf, "Demo: made-up data. This certificate proves nothing.", 11, (138, 61, 6), bold=True)
    pdf.ln(6)
    for label, value in facts.items():
        _draw_fact(pdf, label, value)
    pdf.ln(8)
    address = f"{settings().public_url.rstrip('/')}/application?id={qualification.id}"
    words = (
        f"As the register stood on {show_moment(moment)} (version {qualification.version} of the record). A qualification may "
        f"be suspended, re-assessed or end: the record itself is authoritative, at {address}"
    )
    _write(pdf, words, 10, GREY)
    return bytes(pdf.output())


def _draw_fact(pdf: FPDF, label: str, value: str) -> None:
    top = pdf.get_y()
    pdf.set_draw_color(197, 209, 218)
    pdf.line(pdf.l_margin, top, pdf.w - pdf.r_margin, top)
    pdf.set_xy(pdf.l_margin, top + 2)
    pdf.set_font(FONT, "", 10)
    pdf.set_text_color(*GREY)
    pdf.cell(LABEL_MM, 6, label)
    pdf.set_font(FONT, "", 11)
    pdf.set_text_color(*INK)
    pdf.multi_cell(0, 6, _latin(value), new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")
    pdf.ln(2)


def _write(pdf: FPDF, words: str, size: int, colour: tuple[int, int, int], *, bold: bool = False) -> None:
    pdf.set_font(FONT, "B" if bold else "", size)
    pdf.set_text_color(*colour)
    pdf.multi_cell(0, size * 0.55, _latin(words), new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")


def _latin(text: str) -> str:
    """Text in the letters of the PDF's own fonts (Latin-1): others lose their marks, dashes become plain, the rest a "?"."""
    plain = text.translate(
        {0x2013: "-", 0x2014: "-", 0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"', 0x2026: "..."}
    )
    letters: list[str] = []
    for letter in unicodedata.normalize("NFC", plain):
        try:
            letter.encode("latin-1")
            letters.append(letter)
        except UnicodeEncodeError:
            base = unicodedata.normalize("NFKD", letter).encode("latin-1", "ignore").decode("latin-1")
            letters.append(base or "?")
    return "".join(letters)
