"""The old core SDK and the IMM SDK upon it: independent clients, with legacy signatures in the query and in forms."""

import importlib
import json
import unittest

from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.auth.credentials import StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest
from aliyunsdkimm.request import v20200930

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


class Typed(TestCase):
    """The official IMM SDK of that generation: a class for each operation."""

    def call(self, name, **given):
        module = importlib.import_module(f"{v20200930.__name__}.{name}Request")
        request = getattr(module, f"{name}Request")()
        request.set_endpoint(self.server.endpoint)
        request.set_protocol_type("http")
        for key, value in given.items():
            getattr(request, f"set_{key}")(value)
        client = AcsClient(self.server.key, self.server.secret, "local")
        return json.loads(client.do_action_with_exception(request))

    def refused(self, code, name, **given):
        with self.assertRaises(ServerException) as caught:
            self.call(name, **given)
        self.assertEqual(caught.exception.get_error_code(), code, caught.exception)

    def test_projects_and_datasets(self):
        made = self.call("CreateProject", ProjectName="typed", DatasetMaxFileCount=7)["Project"]
        self.assertEqual((made["DatasetMaxFileCount"], made["ProjectName"]), (7, "typed"))
        self.assertEqual(self.call("UpdateProject", ProjectName="typed", Description="d")["Project"]["Description"], "d")
        self.assertEqual(self.call("GetProject", ProjectName="typed", WithStatistics=True)["Project"]["FileCount"], 0)
        self.assertEqual(len(self.call("ListProjects", Prefix="typ", MaxResults=5)["Projects"]), 1)
        place = dict(ProjectName="typed", DatasetName="d")
        self.assertEqual(self.call("CreateDataset", **place)["Dataset"]["DatasetMaxFileCount"], 7)
        self.refused("ResourceAlreadyExists", "CreateDataset", **place)
        self.assertEqual(self.call("UpdateDataset", Description="x", **place)["Dataset"]["Description"], "x")
        self.assertEqual(self.call("GetDataset", **place)["Dataset"]["Description"], "x")
        self.assertEqual(len(self.call("ListDatasets", ProjectName="typed")["Datasets"]), 1)
        self.call("AttachOSSBucket", ProjectName="typed", OSSBucket="typed-bucket")
        self.assertEqual(self.call("GetOSSBucketAttachment", OSSBucket="typed-bucket")["ProjectName"], "typed")
        self.call("DetachOSSBucket", OSSBucket="typed-bucket")
        self.assertEqual(len(self.call("ListRegions", AcceptLanguage="en-US")["Regions"]), 1)
        span = {"Start": "2026-01-01T00:00:00Z"}
        asked = dict(ProjectName="typed", TaskTypes=["FaceClustering"], StartTimeRange=span, MaxResults=9)
        self.assertEqual(self.call("ListTasks", **asked)["Tasks"], [])
        self.refused("InvalidArgument", "DeleteProject", ProjectName="typed")
        self.call("DeleteDataset", **place)
        self.call("DeleteProject", ProjectName="typed")
        self.refused("ResourceNotFound", "GetProject", ProjectName="typed")

    def test_files(self):
        place = dict(ProjectName="files", DatasetName="d")
        self.call("CreateProject", ProjectName="files")
        self.call("CreateDataset", **place)
        for number in range(4):
            (self.server.files / f"n{number}.txt").write_text("x" * (number + 1))
        uris = [f"oss://b/n{number}.txt" for number in range(4)]
        self.call("IndexFileMeta", File={"URI": uris[0], "CustomLabels": {"a": "b \u6e2f"}}, **place)
        self.call("BatchIndexFileMeta", Files=[{"URI": uri} for uri in uris[1:]], Notification={"MNS": {"TopicName": "t"}}, **place)
        self.wait(lambda: self.call("GetDataset", **place)["Dataset"]["FileCount"] == 4)
        self.assertEqual(self.call("GetFileMeta", URI=uris[0], **place)["Files"][0]["CustomLabels"], {"a": "b \u6e2f"})
        self.assertEqual([f["Size"] for f in self.call("BatchGetFileMeta", URIs=uris[::-1], **place)["Files"]], [4, 3, 2, 1])
        asked = dict(Query="b txt", Sort="Size", Order="asc", MaxResults=3)
        page = self.call("FuzzyQuery", **asked, **place)
        rest = self.call("FuzzyQuery", **asked, NextToken=page["NextToken"], **place)
        self.assertEqual([f["Size"] for f in page["Files"] + rest["Files"]], [1, 2, 3, 4])
        tree = {"Operation": "gt", "Field": "Size", "Value": "2"}
        found = self.call("SimpleQuery", Query=tree, WithFields=["Size"], Sort="Size", **place)
        self.assertEqual((found["TotalHits"], found["Files"]), (2, [{"Size": 4}, {"Size": 3}]))
        computed = self.call("SimpleQuery", Aggregations=[{"Field": "Size", "Operation": "sum"}], **place)
        self.assertEqual(computed["Aggregations"][0]["Value"], 10)
        self.call("UpdateFileMeta", File={"URI": uris[1], "CustomId": "one"}, **place)
        self.assertTrue(self.call("BatchUpdateFileMeta", Files=[{"URI": uris[2], "CustomId": "two"}], **place)["Files"][0]["Success"])
        self.assertEqual(self.call("GetFileMeta", URI=uris[1], **place)["Files"][0]["CustomId"], "one")
        self.call("DeleteFileMeta", URI=uris[0], **place)
        self.call("BatchDeleteFileMeta", URIs=uris, **place)
        self.assertEqual(self.call("FuzzyQuery", Query="txt", **place)["TotalHits"], 0)
        self.assertEqual(self.call("DetectMediaMeta", ProjectName="files", SourceURI=uris[0])["Size"], 1)


if __name__ == "__main__":
    unittest.main()
