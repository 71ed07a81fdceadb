"""The sample programs of the public documentation, with endpoint and protocol changed and nothing else."""

import asyncio
import os
import pathlib
import re
import unittest

from server import Sync, TestCase

SEEDS = os.environ.get("MEDIALITH_SEEDS", "")


def programs():
    """Every whole program of the pages."""
    for page in sorted(pathlib.Path(SEEDS).glob("*.txt")):
        for text in re.findall(r"^# -\*- coding(?:(?!^# -\*- coding).)*?^    Sample\.main\(sys\.argv\[1:\]\)$", page.read_text(), re.M | re.S):
            yield page.name, text


@unittest.skipUnless(SEEDS and os.path.isdir(SEEDS), "MEDIALITH_SEEDS names no folder of pages")
class Samples(TestCase):
    def test_programs(self):
        admin = Sync(self.server.config())
        place = dict(project_name="test-project", dataset_name="test-dataset")
        admin.call("create_project", project_name="test-project")
        admin.call("create_dataset", **place)
        for name in ("test-object1.jpg", "test-object2.jpg"):
            (self.server.files / name).write_bytes(b"\xff\xd8\xff\xe0")
        os.environ["AccessKeyId"], os.environ["AccessKeySecret"] = self.server.key, self.server.secret
        ran = 0
        for page, text in programs():
            if "index_file_meta" not in text:
                # Bindings are not served yet: tests/sdk/errors.py sees what they are answered.
                continue
            endpoint = f"config.endpoint = '{self.server.endpoint}'; config.protocol = 'HTTP'"
            text, count = re.subn(r"config\.endpoint = f'[^']*'", endpoint, text)
            self.assertEqual(count, 1, page)
            space = {"__name__": page}
            exec(compile(text, page, "exec"), space)
            for run in (space["Sample"].main, lambda args: asyncio.run(space["Sample"].main_async(args))):
                admin.call("batch_delete_file_meta", **place, uris=[f"oss://test-bucket/test-object{n}.jpg" for n in (1, 2)])
                run([])
                self.wait(lambda: admin.call("get_dataset", **place).dataset.file_count)
                got = admin.call("get_file_meta", **place, uri="oss://test-bucket/test-object1.jpg").files[0]
                self.assertEqual((got.custom_labels, got.object_status), ({"category": "Persons"}, "Indexed"))
                ran += 1
        self.assertGreaterEqual(ran, 4)


if __name__ == "__main__":
    unittest.main()
