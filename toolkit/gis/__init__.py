"""Geometry: fields and lookups, distances, GeoJSON, GeoPackage, maps."""

from .areas import area
from .distances import distance
from .expressions import Area, AsGeoJSON, AsWKT, Centroid, Distance, Envelope, GeometryType, Length, Perimeter
from .features import Feature
from .fields import (
    GeometryCollectionField,
    GeometryField,
    LineStringField,
    MultiLineStringField,
    MultiPointField,
    MultiPolygonField,
    PointField,
    PolygonField,
)
from .functions import register_functions
from .geodesy import geodesic, haversine, length
from .geojson import geojson
from .geojson import parse as parse_geojson
from .maps.interactive import interactive_map, map_assets
from .maps.locator import locator_map
from .measures import A, D
from .nearest import nearest
from .orient import orient, split_antimeridian
from .transform import transform
from .validity import find_problem, require_valid

__all__ = [
    "A",
    "Area",
    "AsGeoJSON",
    "AsWKT",
    "Centroid",
    "D",
    "Distance",
    "Envelope",
    "Feature",
    "GeometryCollectionField",
    "GeometryField",
    "GeometryType",
    "Length",
    "LineStringField",
    "MultiLineStringField",
    "MultiPointField",
    "MultiPolygonField",
    "Perimeter",
    "PointField",
    "PolygonField",
    "area",
    "distance",
    "find_problem",
    "geodesic",
    "geojson",
    "haversine",
    "interactive_map",
    "length",
    "locator_map",
    "map_assets",
    "nearest",
    "orient",
    "parse_geojson",
    "register_functions",
    "require_valid",
    "split_antimeridian",
    "transform",
]
