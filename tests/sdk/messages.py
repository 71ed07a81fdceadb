"""The official MNS SDK: it receives and deletes what calls of the IMM SDK published."""

import base64
import http.server
import json
import threading
import unittest
import urllib.request
import xml.etree.ElementTree as xml

from alibabacloud_imm20200930 import models
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from mns.account import Account
from mns.mns_exception import MNSServerException
from mns.queue import Message, QueueMeta
from mns.subscription import SubscriptionMeta
from mns.topic import TopicMessage, TopicMeta

from server import Server, Sync, TestCase

NAMESPACE = "{http://mns.aliyuncs.com/doc/v1/}"


class Receiver:
    """An HTTP server of ours that keeps what is posted."""

    def __init__(self):
        self.got = got = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                got.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Messages(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(more=["--push-allow", "127.0.0.1"])
        cls.account = Account(f"http://{cls.server.endpoint}", cls.server.key, cls.server.secret)
        cls.imm = Sync(cls.server.config())
        cls.imm.call("create_project", project_name="p")
        cls.imm.call("create_dataset", project_name="p", dataset_name="d")

    def queue(self, name, **meta):
        queue = self.account.get_queue(name)
        url = queue.create(QueueMeta(**meta))
        self.assertEqual(url, f"http://{self.server.endpoint}/queues/{name}")
        queue.set_encoding(False)
        return queue

    def failed(self, kind, call, *given):
        with self.assertRaises(MNSServerException) as caught:
            call(*given)
        self.assertEqual(caught.exception.type, kind, caught.exception)
        self.assertTrue(caught.exception.req_id)

    def test_an_index_call_is_received_and_deleted(self):
        queue = self.queue("done")
        topic = self.account.get_topic("indexed")
        topic.create(TopicMeta())
        endpoint = "acs:mns:local:0:queues/done"
        topic.get_subscription("s").subscribe(SubscriptionMeta(endpoint, notify_content_format="SIMPLIFIED"))
        (self.server.files / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0")
        files = [{"URI": "oss://b/a.jpg", "CustomId": "one"}, {"URI": "oss://b/none <&>.jpg", "CustomLabels": {"k": "v"}}]
        answer = self.imm.call(
            "batch_index_file_meta", project_name="p", dataset_name="d", notification=self.notification("indexed"),
            user_data="echo", files=[self.input(f) for f in files],
        )
        message = queue.receive_message(30)
        body = json.loads(message.message_body)
        self.assertEqual(body["type"], "imm:FileMeta:BatchIndex")
        self.assertEqual((body["id"], body["source"]), (answer.event_id, "acs.imm"))
        self.assertEqual(body["subject"], "acs:imm:local:0:p/imm:FileMeta:BatchIndex")
        content = json.loads(body["content"])
        self.assertEqual(content["RequestId"], answer.request_id)
        self.assertEqual((content["Success"], content["Message"], content["UserData"]), (True, "", "echo"))
        first, second = content["Files"]
        self.assertEqual(first, {"URI": "oss://b/a.jpg", "CustomId": "one", "Error": ""})
        self.assertEqual(second["Error"], "[InvalidArgument] File does not exist.")
        self.assertEqual((second["URI"], second["CustomLabels"]), ("oss://b/none <&>.jpg", {"k": "v"}))
        self.assertEqual((message.dequeue_count, message.priority), (1, 8))
        queue.delete_message(message.receipt_handle)
        self.failed("MessageNotExist", queue.receive_message)
        self.failed("MessageNotExist", queue.delete_message, message.receipt_handle)

    @staticmethod
    def notification(topic):
        return models.Notification(mns=models.MNS(topic_name=topic))

    @staticmethod
    def input(given):
        return models.InputFile().from_map(given)

    def test_messages_of_a_queue(self):
        queue = self.queue("q", vis_timeout=60)
        sent = queue.send_message(Message("one <&>\n\u6771\u4eac"))
        self.assertTrue(sent.message_id)
        later = Message("later")
        later.set_delayseconds(600)
        soon = Message("soon")
        soon.set_priority(1)
        self.assertEqual(len(queue.batch_send_message([later, soon])), 2)
        self.assertEqual(queue.peek_message().message_body, "soon")
        self.assertEqual([m.message_body for m in queue.batch_peek_message(16)], ["soon", "one <&>\n\u6771\u4eac"])
        attributes = queue.get_attributes()
        self.assertEqual((attributes.active_messages, attributes.delay_messages), (2, 1))
        got = queue.batch_receive_message(16)
        self.assertEqual([m.message_body for m in got], ["soon", "one <&>\n\u6771\u4eac"])
        changed = queue.change_message_visibility(got[0].receipt_handle, 1)
        self.failed("MessageNotExist", queue.delete_message, got[0].receipt_handle)
        again = queue.receive_message(10)
        self.assertEqual((again.message_body, again.dequeue_count), ("soon", 2))
        self.assertNotEqual(again.receipt_handle, changed.receipt_handle)
        queue.batch_delete_message([again.receipt_handle, got[1].receipt_handle])
        self.failed("ReceiptHandleError", queue.delete_message, "nonsense")
        queue.set_attributes(QueueMeta(vis_timeout=7))
        self.assertEqual(queue.get_attributes().visibility_timeout, 7)
        self.failed("QueueAlreadyExist", queue.create, QueueMeta(vis_timeout=8))
        names, marker = self.account.list_queue(prefix="q")
        self.assertEqual(([name.rsplit("/")[-1] for name in names], marker), (["q"], ""))
        queue.delete()
        self.failed("QueueNotExist", queue.get_attributes)
        self.failed("QueueNotExist", queue.send_message, Message("x"))

    def test_encoded_bodies(self):
        queue = self.account.get_queue("coded")
        queue.create(QueueMeta())
        queue.send_message(Message("\u6771\u4eac"))
        self.assertEqual(queue.receive_message(5).message_body, "\u6771\u4eac".encode())

    def test_topics(self):
        topic = self.account.get_topic("t")
        topic.create(TopicMeta())
        self.assertEqual(topic.get_attributes().topic_name, "t")
        queue = self.queue("tagged")
        tagged = topic.get_subscription("tagged")
        tagged.subscribe(SubscriptionMeta("acs:mns:local:0:queues/tagged", filter_tag="red"))
        self.assertEqual(tagged.get_attributes().filter_tag, "red")
        names, _ = topic.list_subscription()
        self.assertEqual([name.rsplit("/")[-1] for name in names], ["tagged"])
        topic.publish_message(TopicMessage("no", "blue"))
        sent = topic.publish_message(TopicMessage("yes", "red"))
        root = xml.fromstring(queue.receive_message(30).message_body)
        self.assertEqual(root.tag, NAMESPACE + "Notification")
        member = {child.tag.removeprefix(NAMESPACE): child.text for child in root}
        self.assertEqual((member["Message"], member["MessageTag"], member["MessageId"]), ("yes", "red", sent.message_id))
        self.failed("MessageNotExist", queue.receive_message, 1)
        tagged.unsubscribe()
        self.failed("SubscriptionNotExist", tagged.get_attributes)
        topic.delete()
        self.failed("TopicNotExist", topic.publish_message, TopicMessage("x"))

    def test_signed_pushes(self):
        topic = self.account.get_topic("pushed")
        topic.create(TopicMeta())
        receiver = Receiver()
        self.addCleanup(receiver.stop)
        for form in ("XML", "JSON", "SIMPLIFIED"):
            meta = SubscriptionMeta(receiver.url + "/" + form, notify_content_format=form)
            topic.get_subscription(form).subscribe(meta)
        sent = topic.publish_message(TopicMessage("hello <&>", "tag"))
        got = {path: rest for path, *rest in self.wait(lambda: receiver.got if len(receiver.got) == 3 else None)}
        for path, (fields, body) in got.items():
            self.verify(path, fields)
            if path == "/SIMPLIFIED":
                self.assertEqual(body, b"hello <&>")
                self.assertEqual((fields["x-mns-message-id"], fields["x-mns-message-tag"]), (sent.message_id, "tag"))
            elif path == "/JSON":
                self.assertEqual(json.loads(body)["Message"], "hello <&>")
            else:
                self.assertEqual(xml.fromstring(body).find(NAMESPACE + "Message").text, "hello <&>")

    def verify(self, path, fields):
        """As the receivers of the vendor's samples do it."""
        own = "".join(f"{name}:{fields[name]}\n" for name in sorted(fields) if name.startswith("x-mns-"))
        head = [fields.get(name, "") for name in ("content-md5", "content-type", "date")]
        text = "\n".join(["POST", *head, own + path])
        with urllib.request.urlopen(base64.b64decode(fields["x-mns-signing-cert-url"]).decode()) as answer:
            certificate = x509.load_pem_x509_certificate(answer.read())
        signature = base64.b64decode(fields["authorization"])
        certificate.public_key().verify(signature, text.encode(), padding.PKCS1v15(), hashes.SHA1())

    def test_keys_and_roles(self):
        made = self.server.keys("create", "--role", "read")
        reader = Account(f"http://{self.server.endpoint}", made["access key id"], made["access key secret"])
        self.failed("AccessDenied", reader.get_queue("x").create, QueueMeta())
        self.assertEqual(reader.list_queue(prefix="nothing")[0], [])
        forger = Account(f"http://{self.server.endpoint}", self.server.key, "wrong")
        self.failed("SignatureDoesNotMatch", forger.list_queue)
        stranger = Account(f"http://{self.server.endpoint}", "nobody", "x")
        self.failed("InvalidAccessKeyId", stranger.list_queue)
        bound = self.server.keys("create", "--role", "admin", "--only", "p")
        bound = Account(f"http://{self.server.endpoint}", bound["access key id"], bound["access key secret"])
        self.failed("AccessDenied", bound.list_queue)


if __name__ == "__main__":
    unittest.main()
