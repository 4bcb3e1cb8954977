"""The Croissant file of a release: `croissant.json`, which says what its files and fields are.

Croissant is MLCommons' format for metadata of datasets; its reader loads records by it.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from sa1b_captions.recipe import Recipe
from sa1b_captions.release.manifest import ReleaseFile
from sa1b_captions.release.names import TrackFiles
from sa1b_captions.release.tracks import rows

CROISSANT = "croissant.json"

_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_PARQUET = "application/x-parquet"
_JSONL = "application/jsonlines"


def render_croissant(
    recipe: Recipe,
    version: str,
    tracks: Mapping[str, TrackFiles],
    files: Sequence[ReleaseFile],
) -> str:
    """Metadata as JSON-LD."""
    jsonl = {names.jsonl for names in tracks.values()}
    photographs = "SA-1B's photographs" if recipe.archives == "sa1b" else recipe.stand_in
    provenance = rows.provenance_schema(repairs=recipe.repairs)
    content = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": recipe.name,
        "description": f"{recipe.title}. Captions of {photographs}, without photographs.",
        "version": version,
        "license": "LICENSE.md",
        "citeAs": f"{recipe.title}, version {version}; CITATION.cff names the works it builds on.",
        "distribution": [
            *(_jsonl(file) for file in files if file.name in jsonl),
            *(_parquet_set(f"{track}_files", names.data) for track, names in tracks.items()),
            *(
                _parquet_set(f"{track}_provenance_files", names.provenance)
                for track, names in tracks.items()
            ),
        ],
        "recordSet": [
            *(_record_set(track, rows.published_schema(recipe.tracks[track])) for track in tracks),
            *(_record_set(f"{track}_provenance", provenance) for track in tracks),
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=1)


def _jsonl(file: ReleaseFile) -> dict[str, Any]:
    """A file, or, as Croissant has none without a digest, the set of this one file."""
    if file.sha256 is None:
        kind = {"@type": "cr:FileSet", "@id": file.name, "name": file.name}
        return kind | {"encodingFormat": _JSONL, "includes": file.name}
    return {
        "@type": "cr:FileObject",
        "@id": file.name,
        "name": file.name,
        "contentUrl": file.name,
        "contentSize": f"{file.bytes} B",
        "encodingFormat": _JSONL,
        "sha256": file.sha256,
    }


def _parquet_set(name: str, prefix: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": name,
        "name": name,
        "encodingFormat": _PARQUET,
        "includes": f"{prefix}*.parquet",
    }


def _record_set(name: str, schema: pa.Schema) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "key": {"@id": f"{name}/id"},
        "field": [_field(name, field) for field in schema],
    }


def _field(record_set: str, field: pa.Field) -> dict[str, Any]:
    identity = f"{record_set}/{field.name}"
    source = {"fileSet": {"@id": f"{record_set}_files"}, "extract": {"column": field.name}}
    described: dict[str, Any] = {"@type": "cr:Field", "@id": identity, "name": identity}
    kind = field.type
    if pa.types.is_list(kind):
        described["repeated"] = True
        kind = kind.value_type
    if not pa.types.is_struct(kind):
        return described | {"source": source, "dataType": _data_type(kind)}
    described["subField"] = [
        {
            "@type": "cr:Field",
            "@id": f"{identity}/{part.name}",
            "name": f"{identity}/{part.name}",
            "source": source | {"transform": {"jsonPath": part.name}},
            "dataType": _data_type(part.type),
        }
        for part in kind
    ]
    return described


def _data_type(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind):
        return "sc:Integer"
    if pa.types.is_timestamp(kind):
        return "sc:Date"
    return "sc:Text"
