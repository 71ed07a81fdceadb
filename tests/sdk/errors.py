"""What the SDK makes of refusals: codes, statuses, request ids, denials and throttling."""

import unittest

from alibabacloud_imm20200930 import models

from server import Async, Server, Sync, TestCase


class Errors(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = Sync(cls.server.config())
        cls.admin.call("create_project", project_name="p")
        cls.admin.call("create_project", project_name="q")

    def test_codes_and_statuses(self):
        for caller in (self.admin, Async(self.server.config())):
            for code, status, name, given in [
                ("ResourceNotFound", 404, "get_project", dict(project_name="none")),
                ("ResourceAlreadyExists", 400, "create_project", dict(project_name="p")),
                ("InvalidArgument", 400, "get_project", dict()),
                ("InvalidArgument", 400, "list_projects", dict(max_results=201)),
                ("LimitExceededError", 400, "create_project", dict(project_name="r", dataset_max_bind_count=11)),
                ("NotImplemented", 400, "compare_image_faces", dict(project_name="p")),
                ("NotImplemented", 400, "encode_blind_watermark", dict(project_name="p")),
            ]:
                error = self.refused(code, caller.call, name, **given)
                self.assertEqual(error.status_code, status, error)
                self.assertEqual(error.data["RequestId"], error.request_id)
                self.assertIn("docs/", error.data["Recommend"])

    def test_wrong_keys(self):
        wrong = Sync(self.server.config(access_key_secret="wrong"))
        self.refused("SignatureDoesNotMatch", wrong.call, "list_projects")
        nobody = Sync(self.server.config(access_key_id="nobody"))
        self.refused("InvalidAccessKeyId.NotFound", nobody.call, "list_projects")

    def test_roles_and_projects(self):
        made = self.server.keys("create", "--role", "read", "--only", "p")
        bound = Sync(self.server.config(access_key_id=made["access key id"], access_key_secret=made["access key secret"]))
        self.assertEqual(bound.call("get_project", project_name="p").project.project_name, "p")
        for name in ("p", "q"):
            error = self.refused("NoPermission", bound.call, "delete_project", project_name=name)
            self.assertEqual(error.status_code, 403)
            self.assertEqual(error.access_denied_detail["AuthAction"], "imm:DeleteProject")
        self.refused("NoPermission", bound.call, "get_project", project_name="q")
        self.server.keys("disable", made["access key id"])
        self.refused("InvalidAccessKeyId.Inactive", bound.call, "get_project", project_name="p")

    def test_temporary_keys(self):
        made = self.server.keys("create", "--role", "admin", "--minutes", "5")
        given = dict(access_key_id=made["access key id"], access_key_secret=made["access key secret"])
        for more in (dict(), dict(signature_algorithm="v2")):
            caller = Sync(self.server.config(**given, security_token=made["security token"], **more))
            self.assertEqual(len(caller.call("list_projects").projects), 2)
            without = Sync(self.server.config(**given, **more))
            self.refused("MissingSecurityToken", without.call, "list_projects")

    def test_throttling(self):
        server = Server(rate="1")
        try:
            caller = Sync(server.config())
            caller.call("create_project", project_name="p")
            with self.assertRaises(Exception) as caught:
                for _ in range(5):
                    caller.call("get_project", project_name="p")
            self.assertEqual(caught.exception.code, "Throttling")
            self.assertEqual(type(caught.exception).__name__, "ThrottlingException")
            self.assertTrue(0 < caught.exception.retry_after <= 1000)
        finally:
            server.stop()

    def test_empty_lists_are_not_given(self):
        place = dict(project_name="p", dataset_name="d")
        self.admin.call("create_dataset", **place)
        (self.server.files / "x.txt").write_text("x")
        given = models.InputFile(uri="oss://b/x.txt", labels=[models.Label(label_name="sea")], custom_labels={"a": "b"})
        self.admin.call("index_file_meta", **place, file=given)
        self.wait(lambda: self.admin.call("get_dataset", **place).dataset.file_count)
        self.admin.call("update_file_meta", **place, file=models.InputFile(uri="oss://b/x.txt", custom_id="c"))
        got = self.admin.call("get_file_meta", **place, uri="oss://b/x.txt").files[0]
        self.assertEqual((got.custom_id, got.custom_labels, got.labels[0].label_name), ("c", {"a": "b"}, "sea"))


if __name__ == "__main__":
    unittest.main()
