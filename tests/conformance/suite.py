# SPDX-License-Identifier: GPL-2.0-or-later
"""A folder of tests in the layout of the public suricata-verify suite: what each test asks for,
said as options of masugata-replay."""

import json
import shlex
from dataclasses import dataclass, field
from pathlib import Path

import yaml

# Settings that ask for what is always so here, or that change nothing that a rule sees: names and
# what names begin with.
WITHOUT_EFFECT = (
    "app-layer.protocols.dns.detection-ports.",
    "app-layer.protocols.enip.enabled",
    "app-layer.protocols.http.libhtp.default-config.response-body-decompress-layer-limit",
    "app-layer.protocols.http2.enabled",
    "app-layer.protocols.http2.http1-rules",
    "app-layer.protocols.ssh.encryption-handling",
    "decoder.vxlan.enabled",
    "detect.guess-applayer-tx",
    "detect.prefilter.default",
    "detect.profile",
    "detect.sgh-mpm-context",
    "engine-analysis",
    "flow.hash-size",
    "flow.managers",
    "flow.prealloc",
    "flow.recyclers",
    "logging.",
    "mpm-algo",
    "outputs.",
    "spm-algo",
    "stats.",
    "stream.bypass",
    "stream.prealloc-sessions",
    "stream.reassembly.segment-prealloc",
    "unix-command.",
)
# Settings that masugata-replay knows by the same name.
PASSED_ON = {
    "stream.midstream",
    "stream.midstream-policy",
    "stream.async-oneside",
    "stream.inline",
    "app-layer.error-policy",
    "flow-timeouts.tcp.new",
    "flow-timeouts.tcp.established",
    "flow-timeouts.tcp.closed",
    "flow-timeouts.default.new",
    "flow-timeouts.default.established",
    "packet-alert-max",
}
# Those that it knows by another name.
RENAMED = {
    "decoder.vxlan.ports": "decoder.vxlan.port",
    "decoder.geneve.ports": "decoder.geneve.port",
    "flow-timeouts.udp.new": "flow-timeouts.default.new",
    "flow-timeouts.udp.established": "flow-timeouts.default.established",
}
BODY_LIMITS = {
    "app-layer.protocols.http.libhtp.default-config.request-body-limit",
    "app-layer.protocols.http.libhtp.default-config.response-body-limit",
}
WITHOUT_ARGUMENT = {"--engine-analysis", "--init-errors-fatal", "--pcap-file-continuous",
                    "--strict-rule-keywords", "--disable-detection", "-v", "-vv", "-vvv"}
WITH_ARGUMENT = {"-c", "-l", "-r", "-s", "-S", "--pidfile", "--runmode", "--set", "-k",
                 "--threshold-file", "--data-dir"}
UNLIMITED = (1 << 32) - 1
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


def options_of_settings(settings, folder):
    """Options for settings of Suricata's dotted names, and the names that are not known here."""
    options, unknown = [], []
    limits = [bytes_of(value) for key, value in settings.items() if key in BODY_LIMITS]
    if limits:  # one for both directions; 0 is as much as there is
        largest = UNLIMITED if 0 in limits else max(limits)
        options += ["--set", f"body-limit={largest}"]
    for key, value in settings.items():
        if key in BODY_LIMITS or key.startswith(WITHOUT_EFFECT):
            continue
        if key == "exception-policy":
            options += exception_options(value)
        elif key == "threshold-file":
            options += ["--threshold-file", threshold_file(value, folder)]
        elif key == "stream.checksum-validation":
            options += ["--set", f"checksums={value}"]
        elif key in RENAMED and value.isdigit():
            options += ["--set", f"{RENAMED[key]}={value}"]
        elif key in PASSED_ON or key.startswith("vars."):
            options += ["--set", f"{key}={value}"]
        else:
            unknown.append(key)
    return options, unknown


def threshold_file(value, folder):
    path = Path(value) if Path(value).is_absolute() else folder / value
    if not path.is_file():
        raise Unsupported("its threshold file is not in the suite")
    return str(path)


def bytes_of(size):
    """The number in "100kb", "1 MiB" or "4096"."""
    size = str(size).strip().lower()
    for unit, factor in (("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30),
                         ("kb", 1 << 10), ("mb", 1 << 20), ("gb", 1 << 30)):
        if size.endswith(unit):
            return int(size.removesuffix(unit)) * factor
    return int(size)


def tracks_parents(decoder):
    """Whether what happens inside some tunnel is to matter to the flow of the tunnel."""
    if not isinstance(decoder, dict):
        return False
    return bool(decoder.get("track-parent-flow")) or any(map(tracks_parents, decoder.values()))


def exception_options(policy):
    if policy == "auto":
        return ["--set", "exceptions-drop=true"]
    if policy == "ignore":
        return ["--set", "exceptions-drop=false"]
    return ["--set", f"stream.midstream-policy={policy}",
            "--set", f"app-layer.error-policy={policy}"]


def options_of_arguments(arguments, folder):
    """Options, settings and unknown words of the arguments of a test."""
    words = shlex.split(arguments.replace("${TEST_DIR}", str(folder)))
    options, settings, unknown = [], {}, []
    while words:
        word, equals, value = words.pop(0).partition("=")
        if word in WITH_ARGUMENT and not equals and words:
            value = words.pop(0)
        if word == "-k":
            options += ["--ignore-checksums"] if value == "none" else []
        elif word == "--simulate-ips":
            options.append("--inline")
        elif word == "--set":
            key, _, setting = value.partition("=")
            settings[key.strip()] = setting.strip()
        elif word == "--threshold-file":
            settings["threshold-file"] = value
        elif word not in WITHOUT_ARGUMENT and word not in WITH_ARGUMENT:
            unknown.append(word)
    return options, settings, unknown


def settings_of_configuration(configuration):
    """What the configuration says of inspection, as dotted settings of words. Lists are left out:
    of these only action-order has a meaning here."""
    settings = {}

    def walk(prefix, value):
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{prefix}.{key}" if prefix else str(key), inner)
        elif isinstance(value, bool):
            settings[prefix] = str(value).lower()
        elif isinstance(value, (int, str)):
            settings[prefix] = str(value)

    for section in ("app-layer", "decoder", "exception-policy", "flow-timeouts", "stream",
                    "threshold-file", "vars"):
        if section in configuration:
            walk(section, configuration[section])
    if configuration.get("packet-alert-max"):  # 0: as many as by default
        settings["packet-alert-max"] = str(configuration["packet-alert-max"])
    return settings


def order_options(configuration):
    order = configuration.get("action-order", DEFAULT_ORDER)
    return [] if order == DEFAULT_ORDER else ["--set", "action-order=" + ",".join(order)]


def command_of(expectation, suite, binary):
    """The command line that replays the test, and what of its settings it leaves out because it is
    not known here. Raises Unsupported."""
    folder = suite / expectation.name
    configuration = read_configuration(folder)
    from_arguments, settings, unknown = options_of_arguments(expectation.args, folder)
    # Arguments win over the configuration; of that much restates what is usual, so that what is
    # not known in it is no reason to say so.
    from_settings, left_out = options_of_settings(settings, folder)
    from_configuration, _ = options_of_settings(
        {key: value for key, value in settings_of_configuration(configuration).items()
         if key not in settings}, folder)
    # The suite's own runner goes by the name, too.
    if "ips" in expectation.name and "--inline" not in from_arguments:
        from_arguments.append("--inline")
    stated = from_configuration + from_settings
    if "--inline" in from_arguments and not any(
            word.startswith("exceptions-drop=") for word in stated):
        from_configuration += ["--set", "exceptions-drop=true"]  # as inline without a word of it
    if tracks_parents(configuration.get("decoder")):
        from_configuration += ["--set", "decoder.track-parent-flow=true"]
    capture = suite / expectation.pcap
    if not capture.is_file():
        capture = Path(folder, expectation.pcap)
    if not capture.is_file():
        raise Unsupported("its capture is not in the suite")
    rules = [str(suite / path) for path in expectation.rules]
    command = [str(binary), "--json", "--data-dir", str(folder), "--rules", *rules,
               "--pcap", str(capture), *order_options(configuration), *from_configuration,
               *from_arguments, *from_settings]
    return command, unknown + left_out
