#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What suite.py makes of the arguments and the configuration of a test."""

import unittest
from pathlib import Path
from tempfile import TemporaryDirectory

from suite import (Expectation, Unsupported, bytes_of, command_of, options_of_arguments,
                   options_of_settings, settings_of_configuration)

FOLDER = Path("/no/such/folder")


class Arguments(unittest.TestCase):
    def test_words_with_and_without_a_value(self):
        options, settings, unknown = options_of_arguments(
            "-k none --simulate-ips --runmode=single --runmode autofp --set a.b=c -v --new-one",
            FOLDER)
        self.assertEqual(options, ["--ignore-checksums", "--inline"])
        self.assertEqual(settings, {"a.b": "c"})
        self.assertEqual(unknown, ["--new-one"])

    def test_checksums_may_be_asked_for(self):
        self.assertEqual(options_of_arguments("-k all", FOLDER)[0], [])


class Settings(unittest.TestCase):
    def test_known_renamed_and_unknown(self):
        options, unknown = options_of_settings(
            {"stream.midstream": "true", "decoder.vxlan.ports": "4790", "outputs.0.x": "y",
             "stream.checksum-validation": "no", "no.such": "1"}, FOLDER)
        self.assertEqual(options, ["--set", "stream.midstream=true",
                                   "--set", "decoder.vxlan.port=4790", "--set", "checksums=no"])
        self.assertEqual(unknown, ["no.such"])

    def test_bodies_have_one_limit(self):
        http = "app-layer.protocols.http.libhtp.default-config."
        limits = {http + "request-body-limit": "100kb", http + "response-body-limit": "1 MiB"}
        self.assertEqual(options_of_settings(limits, FOLDER)[0], ["--set", "body-limit=1048576"])
        limits[http + "request-body-limit"] = "0"
        self.assertEqual(options_of_settings(limits, FOLDER)[0], ["--set", "body-limit=4294967295"])

    def test_sizes(self):
        self.assertEqual([bytes_of(text) for text in ("7", "2kb", "3 MiB")], [7, 2048, 3 << 20])

    def test_a_threshold_file_that_is_not_there(self):
        with self.assertRaises(Unsupported):
            options_of_settings({"threshold-file": "threshold.config"}, FOLDER)

    def test_of_the_configuration(self):
        self.assertEqual(
            settings_of_configuration({"stream": {"midstream": True}, "outputs": [],
                                       "vars": {"address-groups": {"HOME_NET": "[10.0.0.0/8]"}},
                                       "packet-alert-max": 0}),
            {"stream.midstream": "true", "vars.address-groups.HOME_NET": "[10.0.0.0/8]"})


class Command(unittest.TestCase):
    def test_arguments_win_over_the_configuration(self):
        with TemporaryDirectory() as name:
            suite = Path(name)
            (suite / "one").mkdir()
            (suite / "one" / "input.pcap").touch()
            (suite / "one" / "suricata.yaml").write_text(
                "%YAML 1.1\n---\nstream:\n  midstream: yes\n  inline: yes\n")
            expectation = Expectation("one", "one/input.pcap", ["one/test.rules"],
                                      "--set stream.midstream=false", [], {}, 0)
            command, left_out = command_of(expectation, suite, Path("replay"))
        self.assertIn("stream.midstream=false", command)
        self.assertNotIn("stream.midstream=true", command)
        self.assertIn("stream.inline=true", command)
        self.assertEqual(left_out, [])


if __name__ == "__main__":
    unittest.main()
