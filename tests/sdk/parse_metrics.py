"""Parse a scrape as Prometheus does, strictly: python parse_metrics.py text|openmetrics < scrape

Prints the families as JSON. What the specification of the format does not allow is an exception: exit code 1.
"""

import json
import sys

from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families

text = sys.stdin.read()
strict = openmetrics_parser.text_string_to_metric_families
families = list(strict(text) if sys.argv[1] == "openmetrics" else text_string_to_metric_families(text))
seen = set()
for family in families:
    assert family.name not in seen, f"{family.name} is there twice"
    seen.add(family.name)
    for sample in family.samples:
        series = (sample.name, tuple(sorted(sample.labels.items())))
        assert series not in seen, f"{series} is there twice"
        seen.add(series)
print(json.dumps([{"name": f.name, "type": f.type, "help": f.documentation} for f in families]))
