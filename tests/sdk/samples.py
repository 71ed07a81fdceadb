"""The sample programs of the public documentation, with endpoint and protocol changed and nothing else."""

import ast
import asyncio
import contextlib
import io
import os
import pathlib
import re
import unittest

from server import Sync, TestCase

SEEDS = os.environ.get("MEDIALITH_SEEDS", "")
PLACE = dict(project_name="test-project", dataset_name="test-dataset")
PROGRAM = r"^# -\*- coding(?:(?!^# -\*- coding).)*?^    Sample\.main\((?:sys\.argv\[1:\])?\)$"


def programs():
    """Every whole program of the pages, with the operation that it calls."""
    for page in sorted(pathlib.Path(SEEDS).glob("*.txt")):
        for text in re.findall(PROGRAM, page.read_text(), re.M | re.S):
            yield page.name, re.search(r"client\.(\w+)_with_options\(", text)[1], text


@unittest.skipUnless(SEEDS and os.path.isdir(SEEDS), "MEDIALITH_SEEDS names no folder of pages")
class Samples(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = Sync(cls.server.config())
        cls.admin.call("create_project", project_name="test-project")
        cls.admin.call("create_dataset", **PLACE)
        for name in ("test-object1.jpg", "test-object2.jpg"):
            (cls.server.files / name).write_bytes(b"\xff\xd8\xff\xe0")
        os.environ["AccessKeyId"], os.environ["AccessKeySecret"] = cls.server.key, cls.server.secret
        cls.served = {name.lower() for name in cls.server.openapi()["components"]["schemas"]}

    def sample(self, page, text):
        """The class of a program."""
        endpoint = f"config.endpoint = '{self.server.endpoint}'; config.protocol = 'HTTP'"
        text, count = re.subn(r"config\.endpoint = f'[^']*'", endpoint, text)
        self.assertEqual(count, 1, page)
        space = {"__name__": page}
        exec(compile(text, page, "exec"), space)
        return space["Sample"]

    def test_indexing(self):
        ran = 0
        for page, name, text in programs():
            if "index_file_meta" not in name:
                continue
            sample = self.sample(page, text)
            for run in (sample.main, lambda args: asyncio.run(sample.main_async(args))):
                self.admin.call("batch_delete_file_meta", **PLACE, uris=[f"oss://test-bucket/test-object{n}.jpg" for n in (1, 2)])
                run([])
                self.wait(lambda: self.admin.call("get_dataset", **PLACE).dataset.file_count)
                got = self.admin.call("get_file_meta", **PLACE, uri="oss://test-bucket/test-object1.jpg").files[0]
                self.assertEqual((got.custom_labels, got.object_status), ({"category": "Persons"}, "Indexed"))
                ran += 1
        self.assertGreaterEqual(ran, 4)

    def test_others(self):
        """What these programs print is the answer, or the error where one came."""
        others = [p for p in programs() if "index_file_meta" not in p[1]]
        self.assertGreaterEqual(len(others), 2)
        for page, name, text in others:
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                self.sample(page, text).main()
            if name.replace("_", "") not in self.served:
                self.assertIn("medialith does not have the operation", said.getvalue())
                continue
            answer = ast.literal_eval(said.getvalue())
            self.assertTrue(answer["RequestId"], said.getvalue())
            self.assertEqual(answer["Binding"]["URI"], "oss://test-bucket")


if __name__ == "__main__":
    unittest.main()
