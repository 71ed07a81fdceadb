"""Figure clusters and pictures found by what they show, with the model packs of the tests installed."""

import base64
import json
import pathlib

from alibabacloud_imm20200930 import models
from operations import CALLED
from server import Server, Sync, TestCase

PACKS = pathlib.Path(__file__).resolve().parent.parent / "data" / "packs"


def recorded(pack):
    return [base64.b64decode(row["rgb"]) for row in json.loads((PACKS / pack / "reference.json").read_text())]


def two_faces(first, second):
    """A picture with a face in each of the two boxes that the detector of the tests sees."""
    rows = [bytearray(bytes([250, 10, 10]) * 160) for _ in range(80)]
    for face, left, top in [(first, 16, 16), (second, 84, 44)]:
        for y in range(32):
            rows[top + y][left * 3:left * 3 + 96] = face[y * 96:y * 96 + 96]
    return b"P6\n160 80\n255\n" + b"".join(rows)


class People(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(packs=[PACKS / name for name in ["faces", "face-points", "scene-pictures", "scene-words"]])
        cls.caller = Sync(cls.server.config())
        cls.served = set(cls.server.openapi()["components"]["schemas"])
        cls.caller.call("create_project", project_name="p")

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def call(self, name, **given):
        CALLED.add(name)
        return self.caller.call(name, **given)

    def done(self, kind, made):
        task = dict(project_name="p", task_type=kind, task_id=made.task_id)
        self.wait(lambda: self.call("get_task", **task).status != "Running")
        self.assertEqual(self.call("get_task", **task).status, "Succeeded")

    def test_people(self):
        call, place = self.call, dict(project_name="p", dataset_name="People")
        call("create_dataset", **place, template_id="Official:FaceManagement")
        faces = recorded("face-points")
        for n, (a, b) in enumerate([(0, 8), (0, 8), (16, 20)]):
            (self.server.files / f"people {n}.ppm").write_bytes(two_faces(faces[a], faces[b]))
            call("index_file_meta", **place, file=models.InputFile(uri=f"oss://b/people {n}.ppm"))
        self.wait(lambda: call("get_dataset", **place).dataset.file_count == 3)
        got = call("get_file_meta", **place, uri="oss://b/people 0.ppm").files[0]
        self.assertEqual((got.figure_count, got.figures[0].figure_cluster_id), (2, "figure-cluster-id-unavailable"))
        self.done("FaceClustering", call("create_figure_clustering_task", **place, user_data="u"))
        found = call("query_figure_clusters", **place, sort="FaceCount", order="desc", max_results=1, with_total_count=True)
        self.assertEqual((len(found.figure_clusters), found.total_count >= 2), (1, True))
        person = found.figure_clusters[0]
        self.assertEqual((person.object_type, person.meta_lock_version, person.image_count >= 2), ("figure-cluster", 0, True))
        self.assertEqual(person.cover.figures[0].figure_cluster_id, person.object_id)
        rest = call("query_figure_clusters", **place, sort="FaceCount", order="desc", max_results=1, next_token=found.next_token)
        other = rest.figure_clusters[0]
        self.assertNotEqual(other.object_id, person.object_id)

        cover = person.cover.figures[0].figure_id
        figures = models.FigureClusterForReqCover(figures=[models.FigureClusterForReqCoverFigures(figure_id=cover)])
        change = models.FigureClusterForReq(object_id=person.object_id, name="Ann", custom_labels={"k": "v"}, cover=figures, meta_lock_version=0)
        call("update_figure_cluster", **place, figure_cluster=change)
        self.refused("InvalidArgument", call, "update_figure_cluster", **place, figure_cluster=change)
        ann = call("get_figure_cluster", **place, object_id=person.object_id).figure_cluster
        self.assertEqual((ann.name, ann.custom_labels, ann.meta_lock_version), ("Ann", {"k": "v"}, 1))
        both = call("batch_get_figure_cluster", **place, object_ids=[other.object_id, "absent", ann.object_id]).figure_clusters
        self.assertEqual([c.object_id for c in both], [other.object_id, ann.object_id])
        labelled = call("query_figure_clusters", **place, custom_labels="k=v").figure_clusters
        self.assertEqual([c.object_id for c in labelled], [ann.object_id])
        self.refused("ResourceNotFound", call, "get_figure_cluster", **place, object_id="absent")

        self.done("FigureClustersMerging", call("create_figure_clusters_merging_task", **place, from_=other.object_id, to=ann.object_id))
        self.refused("ResourceNotFound", call, "get_figure_cluster", **place, object_id=other.object_id)
        merged = call("get_figure_cluster", **place, object_id=ann.object_id).figure_cluster
        self.assertEqual((merged.name, merged.face_count), ("Ann", person.face_count + other.face_count))
        leaf = models.SimpleQuery(operation="eq", field="Figures.FigureClusterId", value=ann.object_id)
        self.assertGreaterEqual(call("simple_query", **place, query=leaf).total_hits, 2)
        self.refused("InvalidArgument", call, "create_figure_clusters_merging_task", **place, to=ann.object_id)

    def test_pictures_by_what_they_show(self):
        call, place = self.call, dict(project_name="p", dataset_name="Scenes")
        call("create_dataset", **place, template_id="Official:CognitionImageManagement")
        for n, rgb in enumerate(recorded("scene-pictures")):
            (self.server.files / f"scene {n:02}.ppm").write_bytes(b"P6\n32 32\n255\n" + rgb)
            call("index_file_meta", **place, file=models.InputFile(uri=f"oss://b/scene {n:02}.ppm"))
        self.wait(lambda: call("get_dataset", **place).dataset.file_count == 18)
        found = call("semantic_query", **place, query="stars at night", max_results=100).files
        self.assertEqual(sorted(f.uri for f in found), [f"oss://b/scene {n:02}.ppm" for n in (3, 4, 5)])
        self.assertEqual(found[0].semantic_types, ["content"])
