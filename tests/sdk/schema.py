"""schemathesis: requests made from the OpenAPI document, and answers held against it."""

import base64
import hashlib
import hmac
import json
import time
import unittest
import urllib.parse
import uuid

import requests
import schemathesis
from hypothesis import HealthCheck, given, settings

from server import Sync, TestCase


def text_of(value):
    """A value as a form carries it."""
    return value if isinstance(value, str) else json.dumps(value)


def signed(server, given):
    """The form with the legacy signature (wire protocol: HMAC-SHA1 over all parameters)."""
    form = {name: text_of(value) for name, value in given.items()}
    form.update(Version="2020-09-30", Format="json", SignatureMethod="HMAC-SHA1", SignatureVersion="1.0")
    form.update(AccessKeyId=server.key, SignatureNonce=uuid.uuid4().hex)
    form.update(Timestamp=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    quote = lambda text: urllib.parse.quote(text, safe="-_.~")
    # Of keys the server takes the bytes as they are sent, so they are ordered by their UTF-8.
    ordered = sorted(form.items(), key=lambda pair: pair[0].encode())
    canonical = "&".join(f"{quote(k)}={quote(v)}" for k, v in ordered)
    wanted = hmac.new(f"{server.secret}&".encode(), f"POST&%2F&{quote(canonical)}".encode(), hashlib.sha1)
    form["Signature"] = base64.b64encode(wanted.digest()).decode()
    return form


class Schema(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Sync(cls.server.config()).call("create_project", project_name="p")

    def test_answers_fit_the_document(self):
        schema = schemathesis.openapi.from_url(f"http://{self.server.endpoint}/openapi.json")
        session, seen = requests.Session(), {}

        @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=schema["/"]["POST"].as_strategy())
        def run(case):
            body = case.body if isinstance(case.body, dict) else {}
            # A lone surrogate has no UTF-8: it cannot be sent.
            try:
                form = signed(self.server, body)
                answer = session.post(f"http://{self.server.endpoint}/", data=form, timeout=30)
            except UnicodeEncodeError:
                return
            case.validate_response(answer, checks=[schemathesis.checks.response_schema_conformance])
            self.assertLess(answer.status_code, 500, answer.text)
            document = answer.json()
            self.assertEqual(answer.headers["x-acs-request-id"], document["RequestId"])
            self.assertNotIn(document.get("Code"), ("SignatureDoesNotMatch", "IncompleteSignature"), form)
            seen[document.get("Code", "OK")] = seen.get(document.get("Code", "OK"), 0) + 1

        run()
        self.assertIn("InvalidArgument", seen, seen)


if __name__ == "__main__":
    unittest.main()
