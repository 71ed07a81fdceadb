"""A server of its own for each test class, and callers of the official SDK."""

import asyncio
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest
import urllib.request

from alibabacloud_imm20200930 import models
from alibabacloud_imm20200930.client import Client
from alibabacloud_tea_openapi import models as open_api
from alibabacloud_tea_util import models as util

TOOL = os.environ["MEDIALITH_TOOL"]


class Server:
    """`medialith serve` on a free port with the bucket `b`; its first key is an admin's."""

    def __init__(self, rate="0", more=(), packs=()):
        self.folder = tempfile.TemporaryDirectory()
        root = pathlib.Path(self.folder.name)
        self.files, self.db = root / "files", root / "db"
        self.files.mkdir()
        if packs:
            # The folder of a database comes with the database.
            subprocess.run([TOOL, "--db", self.db, "index", "--quiet", self.files], check=True)
        for pack in packs:
            shutil.copytree(pack, self.db / "packs" / pack.name)
        command = [TOOL, "--db", self.db, "serve", "--listen", "127.0.0.1:0", "--quiet", "--project-rate", rate]
        command += ["--bucket", f"b={self.files}", "--bucket", f"test-bucket={self.files}", *more]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        said = ""
        while "serving" not in said:
            line = self.process.stdout.readline()
            assert line, f"the server ended: {said}"
            said += line
        self.endpoint = re.search(r"serving http://(\S+)", said)[1]
        self.key = re.search(r"access key id\s+(\S+)", said)[1]
        self.secret = re.search(r"access key secret\s+(\S+)", said)[1]

    def stop(self):
        self.process.terminate()
        assert self.process.wait(60) == 0
        self.process.stdout.close()
        self.folder.cleanup()

    def keys(self, *arguments):
        """Runs `medialith keys` beside the running server and answers what it printed."""
        done = subprocess.run([TOOL, "--db", self.db, "keys", *arguments], capture_output=True, text=True, check=True)
        time.sleep(0.8)
        return dict(re.findall(r"^(access key id|access key secret|security token)\s+(\S+)", done.stdout, re.M))

    def config(self, **more):
        given = dict(access_key_id=self.key, access_key_secret=self.secret, endpoint=self.endpoint, protocol="HTTP")
        return open_api.Config(**{**given, **more})

    def openapi(self):
        with urllib.request.urlopen(f"http://{self.endpoint}/openapi.json") as answer:
            return json.load(answer)


class Sync:
    """Calls operations the synchronous way."""

    def __init__(self, config):
        self.client = Client(config)

    def call(self, name, **given):
        answer = getattr(self.client, f"{name}_with_options")(self.request(name, given), util.RuntimeOptions())
        assert answer.status_code == 200
        return answer.body

    @staticmethod
    def request(name, given):
        wanted = name.replace("_", "") + "request"
        found = [getattr(models, n) for n in dir(models) if n.lower() == wanted]
        return found[0](**given)


class Async(Sync):
    """Calls operations the asynchronous way."""

    def call(self, name, **given):
        async def run():
            called = getattr(self.client, f"{name}_with_options_async")
            return await called(self.request(name, given), util.RuntimeOptions())

        answer = asyncio.run(run())
        assert answer.status_code == 200
        return answer.body


class TestCase(unittest.TestCase):
    """A test case with a server for all its tests."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def wait(self, ready):
        """Waits until `ready` answers something true, and answers that."""
        for _ in range(600):
            found = ready()
            if found:
                return found
            time.sleep(0.05)
        self.fail("nothing came")

    def refused(self, code, call, name, **given):
        """A call that must fail with that code."""
        with self.assertRaises(Exception) as caught:
            call(name, **given)
        error = caught.exception
        self.assertEqual(error.code, code, error)
        self.assertTrue(error.request_id)
        return error
