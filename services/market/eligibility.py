"""What units may be eligible for (UC-04.03): the contract of the rules in `eligibility_matrix` and their words."""

from services.market.eligibility_matrix import REACH_PERCENT, judge
from services.market.eligibility_words import verdicts_in
from services.market.requirements import Reason, Requirement, Standing, Verdict

__all__ = ["REACH_PERCENT", "Reason", "Requirement", "Standing", "Verdict", "judge", "verdicts_in"]
