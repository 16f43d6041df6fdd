# SPDX-License-Identifier: GPL-2.0-or-later
"""A folder of tests in the layout of the public suricata-verify suite: what each test asks for,
said as options of masugata-replay."""

import json
import shlex
from dataclasses import dataclass, field
from pathlib import Path

import yaml

# Settings that ask for what is always so here, or that change nothing that a rule sees.
WITHOUT_EFFECT = {
    "app-layer.protocols.dns.detection-ports.dp",
    "app-layer.protocols.enip.enabled",
    "app-layer.protocols.http.libhtp.default-config.response-body-decompress-layer-limit",
    "app-layer.protocols.http2.enabled",
    "app-layer.protocols.http2.http1-rules",
    "app-layer.protocols.ssh.encryption-handling",
    "decoder.vxlan.enabled",
    "detect.guess-applayer-tx",
    "detect.prefilter.default",
    "stats.decoder-events",
    "stream.bypass",
}
PASSED_ON = {
    "stream.midstream",
    "stream.midstream-policy",
    "stream.async-oneside",
    "stream.inline",
    "app-layer.error-policy",
    "flow-timeouts.tcp.new",
    "flow-timeouts.tcp.established",
    "flow-timeouts.tcp.closed",
}
BODY_LIMIT = "app-layer.protocols.http.libhtp.default-config.response-body-limit"
WITHOUT_VALUE = {"--engine-analysis"}
DEFAULT_ORDER = ["pass", "drop", "reject", "alert"]


class Unsupported(Exception):
    """The test needs something that masugata-replay does not have."""


@dataclass
class Expectation:
    """One line of expected-alerts.jsonl."""

    name: str
    pcap: str
    rules: list
    args: str
    labels: list
    alerts: dict
    drops: int
    events: list = field(default_factory=list)


def read_expectations(suite):
    expectations = []
    for line in (suite / "expected-alerts.jsonl").read_text().splitlines():
        fields = json.loads(line)
        alerts = {int(sid): count for sid, count in fields["alerts"].items()}
        expectations.append(Expectation(
            fields["name"], fields["pcap"], fields["rules"], fields.get("args", ""),
            fields.get("labels", []), alerts, fields.get("drops", 0), fields.get("events", [])))
    return expectations


def read_configuration(folder):
    """The suricata.yaml of a test, as far as it is one that can be read; {} without."""
    path = folder / "suricata.yaml"
    if not path.is_file():
        return {}
    try:
        # Duplicate keys and lists of single keys are common in these files.
        loaded = yaml.safe_load(path.read_text().replace("!include", ""))
    except (yaml.YAMLError, UnicodeDecodeError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def eve_types(configuration):
    """Names of the event types that the configuration logs, with their options."""
    types = {}
    for output in configuration.get("outputs") or []:
        eve = (output or {}).get("eve-log") if isinstance(output, dict) else None
        for entry in (eve or {}).get("types") or []:
            if isinstance(entry, str):
                types[entry] = {}
            elif isinstance(entry, dict):
                types.update({name: options or {} for name, options in entry.items()})
    return types


def counts_drops(configuration):
    """Whether every dropped packet is an event of the expected log."""
    return eve_types(configuration).get("drop", {}).get("flows") == "all"


def options_of_settings(settings):
    """--set options for dotted settings, those of Suricata's names."""
    options = []
    for key, value in settings.items():
        if key == "exception-policy":
            options += exception_options(value)
        elif key == BODY_LIMIT:
            options += ["--set", f"body-limit={bytes_of(value)}"]
        elif key in PASSED_ON:
            options += ["--set", f"{key}={value}"]
        elif key not in WITHOUT_EFFECT:
            raise Unsupported(f"setting {key}")
    return options


def bytes_of(size):
    """The number in "100kb", "1mb" or "4096"."""
    for unit, factor in (("kb", 1 << 10), ("mb", 1 << 20), ("gb", 1 << 30)):
        if size.endswith(unit):
            return int(size.removesuffix(unit)) * factor
    return int(size)


def exception_options(policy):
    if policy == "auto":
        return ["--set", "exceptions-drop=true"]
    if policy == "ignore":
        return ["--set", "exceptions-drop=false"]
    return ["--set", f"stream.midstream-policy={policy}"]


def options_of_arguments(arguments, folder):
    words = shlex.split(arguments.replace("${TEST_DIR}", str(folder)))
    options = []
    settings = {}
    while words:
        word = words.pop(0)
        if word == "-k":
            if words.pop(0) == "none":
                options.append("--ignore-checksums")
        elif word == "--simulate-ips":
            options.append("--inline")
        elif word == "--set":
            key, _, value = words.pop(0).partition("=")
            if key == "threshold-file":
                if not Path(value).is_file():
                    raise Unsupported("its threshold file is not in the suite")
                options += ["--threshold-file", value]
            else:
                settings[key] = value
        elif not word.startswith("--runmode") and word not in WITHOUT_VALUE:
            raise Unsupported(f"argument {word}")
    return options, settings


def options_of_configuration(configuration):
    options = []
    if configuration.get("packet-alert-max"):  # 0: as many as by default
        options += ["--set", f"packet-alert-max={configuration['packet-alert-max']}"]
    if "exception-policy" in configuration:
        options += exception_options(str(configuration["exception-policy"]))
    if configuration.get("action-order", DEFAULT_ORDER) != DEFAULT_ORDER:
        options += ["--set", "action-order=" + ",".join(configuration["action-order"])]
    for kind in ("address-groups", "port-groups"):
        for name, value in ((configuration.get("vars") or {}).get(kind) or {}).items():
            options += ["--set", f"vars.{kind}.{name}={value}"]
    stream = configuration.get("stream") or {}
    for key in ("midstream", "async-oneside", "midstream-policy", "inline"):
        if key in stream:
            options += ["--set", f"stream.{key}={str(stream[key]).lower()}"]
    return options


def command_of(expectation, suite, binary):
    """The command line that replays the test. Raises Unsupported."""
    folder = suite / expectation.name
    configuration = read_configuration(folder)
    options = options_of_configuration(configuration)
    from_arguments, settings = options_of_arguments(expectation.args, folder)
    options += from_arguments + options_of_settings(settings)
    # The suite's own runner goes by the name, too.
    if "ips" in expectation.name and "--inline" not in options:
        options.append("--inline")
    capture = suite / expectation.pcap
    if not capture.is_file():
        capture = Path(folder, expectation.pcap)
    if not capture.is_file():
        raise Unsupported("its capture is not in the suite")
    rules = [str(suite / path) for path in expectation.rules]
    return [str(binary), "--json", "--data-dir", str(folder), "--rules", *rules,
            "--pcap", str(capture), *options]
