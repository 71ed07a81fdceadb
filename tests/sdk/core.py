"""The old core SDK: an independent client, with legacy signatures in the query and in forms."""

import json
import unittest

from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.auth.credentials import StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest

from server import TestCase


class Core(TestCase):
    def call(self, name, method="POST", form=False, client=None, **given):
        request = CommonRequest(domain=self.server.endpoint, version="2020-09-30", action_name=name)
        request.set_protocol_type("http")
        request.set_method(method)
        for key, value in given.items():
            text = value if isinstance(value, str) else json.dumps(value)
            (request.add_body_params if form else request.add_query_param)(key, text)
        client = client or AcsClient(self.server.key, self.server.secret, "local")
        return json.loads(client.do_action_with_exception(request))

    def test_calls_of_every_kind(self):
        self.call("CreateProject", ProjectName="p", Description="a b+c*~ \u6e2f")
        place = dict(ProjectName="p", DatasetName="d")
        self.call("CreateDataset", form=True, **place)
        (self.server.files / "note.txt").write_text("text")
        files = [{"URI": "oss://b/note.txt", "CustomLabels": {"a": "b c"}}]
        self.assertTrue(self.call("BatchIndexFileMeta", form=True, Files=files, **place)["EventId"])
        self.wait(lambda: self.call("GetDataset", **place)["Dataset"]["FileCount"])
        for method, form in (("GET", False), ("POST", False), ("POST", True)):
            found = self.call("FuzzyQuery", method=method, form=form, Query="note b", WithFields=["URI"], **place)
            self.assertEqual((found["TotalHits"], found["Files"]), (1, [{"URI": "oss://b/note.txt"}]))
        self.assertEqual(self.call("GetProject", ProjectName="p")["Project"]["Description"], "a b+c*~ \u6e2f")
        with self.assertRaises(ServerException) as caught:
            self.call("GetProject", ProjectName="q")
        self.assertEqual(caught.exception.get_error_code(), "ResourceNotFound")
        self.assertEqual(caught.exception.get_http_status(), 404)
        self.assertTrue(caught.exception.get_request_id())

    def test_temporary_keys(self):
        made = self.server.keys("create", "--role", "read", "--minutes", "5")
        credential = StsTokenCredential(made["access key id"], made["access key secret"], made["security token"])
        client = AcsClient(region_id="local", credential=credential)
        self.assertIn("Projects", self.call("ListProjects", client=client))


if __name__ == "__main__":
    unittest.main()
