"""Public registers that assets are held against: read into one shape, and compared field by field. No database here."""

from services.assets.sources.compare import compare
from services.assets.sources.ecr import read_ecr
from services.assets.sources.matching import Match, best_match, match_score
from services.assets.sources.reading import SourceReading, detect_kind
from services.assets.sources.repd import read_repd

__all__ = ["Match", "SourceReading", "best_match", "compare", "detect_kind", "match_score", "read_ecr", "read_repd"]
