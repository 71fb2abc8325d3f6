# SPDX-License-Identifier: Apache-2.0
"""Go templates as a user of --format meets them. What Go's engine makes of them is in tests/golden/template."""

from harness.case import CliCase, main


class Template(CliCase):
    def setUp(self):
        super().setUp()
        self.box.write("hi.txt", b"hello world")

    def push(self, template, **options):
        return self.coras("push", "--oci-layout", "lay:v1", "hi.txt", "--format",
                          f"go-template={template}", **options)

    def test_a_function_that_is_left_out_names_the_way_around(self):
        result = self.push('{{genPrivateKey "rsa"}}')
        self.assertEqual(result.code, 1)
        self.assertIn('function "genPrivateKey" is left out of these templates', result.err)
        self.assertIn("--format json", result.err)

    def test_a_template_without_end_is_stopped(self):
        endless = "{{$l := until 10000}}{{range $l}}{{range $l}}{{end}}{{end}}"
        result = self.push(endless)
        self.assertEqual(result.code, 1)
        self.assertIn("the template takes too long", result.err)

    def test_an_expression_without_end_is_stopped(self):
        result = self.push('{{.digest}} {{regexMatch "^(a+)+$" (cat (repeat 5000 "a") "b")}}')
        self.assertEqual(result.code, 1)
        self.assertIn("too many ways to match", result.err)
        self.assertTrue(result.out.startswith("sha256:"), result.out)

    def test_a_zone_is_converted_without_a_trace(self):
        result = self.push('{{dateInZone "15:04 MST" 1720000000 "America/New_York"}} '
                           '{{date "15:04 MST" 1720000000}}', env={"TZ": "Asia/Tokyo"})
        self.assertEqual(result.code, 0, result.err)
        self.assertEqual(result.out, "05:46 EDT 18:46 JST")


if __name__ == "__main__":
    main()
