"""The register's geography in one import: areas, coordinates, distributors, postcodes, suspicious positions.

Pure functions over reference data that ships in data/ and is read once; no database, no network.
"""

from services.grid.areas import (
    BaseMap,
    GroupLabel,
    base_map_features,
    distance_to_area,
    group_labels,
    gsp_group_at,
    gsp_groups_at,
    inside_area,
    inside_areas,
)
from services.grid.coordinates import (
    GridPosition,
    Position,
    in_great_britain,
    to_national_grid,
    to_national_grid_many,
    to_wgs84,
    to_wgs84_many,
)
from services.grid.distributors import (
    DISTRIBUTORS,
    LICENCE_AREAS,
    Distributor,
    distributor_by_dno,
    distributor_by_id,
    dno_of_gsp_group,
    gsp_group_name,
)
from services.grid.outcodes import (
    km_beyond_postcode,
    nearest_outcode,
    outcode_of,
    outcode_position,
    outcode_reach,
    place_elsewhere,
)
from services.grid.positions import MAN_EASTINGS, MAN_NORTHINGS, land_points, likely_position_error

__all__ = [
    "DISTRIBUTORS",
    "LICENCE_AREAS",
    "MAN_EASTINGS",
    "MAN_NORTHINGS",
    "BaseMap",
    "Distributor",
    "GridPosition",
    "GroupLabel",
    "Position",
    "base_map_features",
    "distance_to_area",
    "distributor_by_dno",
    "distributor_by_id",
    "dno_of_gsp_group",
    "group_labels",
    "gsp_group_at",
    "gsp_group_name",
    "gsp_groups_at",
    "in_great_britain",
    "inside_area",
    "inside_areas",
    "km_beyond_postcode",
    "land_points",
    "likely_position_error",
    "nearest_outcode",
    "outcode_of",
    "outcode_position",
    "outcode_reach",
    "place_elsewhere",
    "to_national_grid",
    "to_national_grid_many",
    "to_wgs84",
    "to_wgs84_many",
]
