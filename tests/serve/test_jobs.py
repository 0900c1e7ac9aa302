"""Ingest as jobs: what may be read, what becomes of it, and how many can wait."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.serve.conftest import refused, wait_for

from worldline.serve import create_app
from worldline.serve.jobs import JobQueue, JobStatus
from worldline.serve.workshop import BusyError


def test_a_folder_is_ingested_and_can_be_searched(own, tmp_path):
    media = tmp_path / "media"
    (media / "broken.mp4").write_bytes(b"no video")
    answer = own.post("/v1/jobs", json={"paths": [str(media)]})
    assert answer.status_code == 202
    name = answer.json()["id"]
    assert answer.headers["location"] == f"/v1/jobs/{name}"
    job = wait_for(own, name)
    assert (job["status"], job["num_done"], job["num_files"]) == ("done", 3, 3)
    assert job["counts"] == {"added": 2, "failed": 1}
    told = {Path(r["source"]).name: r["status"] for r in job["results"]}
    assert told == {"broken.mp4": "failed", "crash.mp4": "added", "drop-a.mp4": "added"}
    assert len(own.get(f"/v1/jobs/{name}", params={"limit": 1, "offset": 2}).json()["results"]) == 1
    assert own.get("/v1/search", params={"q": "something falls"}).json()["hits"]
    again = wait_for(own, own.post("/v1/jobs", json={"paths": ["."]}).json()["id"])
    assert again["counts"] == {"unchanged": 2, "failed": 1}
    assert [job["id"] for job in own.get("/v1/jobs").json()["jobs"]] == [again["id"], name]
    videos = own.get("/v1/videos").json()
    assert videos["total"] == 2
    first = videos["videos"][0]
    assert len(own.get(f"/v1/videos/{first['id']}").json()["events"]) == first["num_events"]
    assert own.delete(f"/v1/videos/{first['id']}").status_code == 204
    assert refused(own.get(f"/v1/videos/{first['id']}"), 404)
    assert refused(own.delete(f"/v1/videos/{first['id']}"), 404)
    assert own.get("/v1/library").json()["num_videos"] == 1


def test_nothing_outside_of_the_media_folders_is_read(own, tmp_path):
    (tmp_path / "secret").mkdir()
    media = tmp_path / "media"
    (media / "link").symlink_to(tmp_path / "secret")
    (media / "loop").symlink_to("loop")
    ways = ["../secret", "/", "/etc/passwd", "a/../..", "missing.mp4", "link", "a\0b", "~"]
    for path in [*ways, "x" * 4000, str(tmp_path / "secret"), f"{media}/../secret"]:
        said = refused(own.post("/v1/jobs", json={"paths": ["crash.mp4", path]}), 422)
        assert "media folder" in said
        assert str(tmp_path) not in said.replace(path, "")
    assert own.get("/v1/jobs").json() == {"jobs": []}


def test_a_link_out_of_a_folder_fails_alone(own, tmp_path, outside):
    (tmp_path / "media" / "way-out.mp4").symlink_to(outside)
    shutil.copy(tmp_path / "media" / "drop-a.mp4", tmp_path / "media" / "truth-out.mp4")
    truth = outside.with_name("hidden.scene.json")
    (tmp_path / "media" / "truth-out.scene.json").symlink_to(truth)
    job = wait_for(own, own.post("/v1/jobs", json={"paths": ["."]}).json()["id"])
    assert job["counts"] == {"added": 2, "failed": 2}
    failed = [result for result in job["results"] if result["status"] == "failed"]
    assert all("leads out of the media folders" in result["error"] for result in failed)
    assert str(outside.parent) not in str(job)


def test_a_server_without_media_folders_ingests_nothing(config, tmp_path):
    app = create_app(replace(config, media=()))
    with TestClient(app, base_url="http://localhost") as client:
        assert "--media" in refused(client.post("/v1/jobs", json={"paths": ["x.mp4"]}), 422)


@pytest.mark.parametrize(
    "body", [{}, {"paths": []}, {"paths": [""]}, {"paths": "x"}, {"paths": [1]}]
)
def test_a_bad_request_is_refused(client, body):
    assert "paths" in refused(client.post("/v1/jobs", json=body), 422)


def test_unknown_jobs_are_not_there(client):
    assert "no job" in refused(client.get("/v1/jobs/0123456789abcdef"), 404)
    assert "no job" in refused(client.delete("/v1/jobs/0123456789abcdef"), 404)


def _stay(pipe, paths):
    """Tell of one file, then never end."""
    pipe.send(("file", 1, 2, {"source": paths[0], "status": "added"}))
    time.sleep(3600)


def _die(pipe, paths):
    raise SystemExit(3)


def until(queue: JobQueue, name: str, status: JobStatus) -> None:
    for _ in range(1200):
        job = queue.get(name)
        assert job is not None
        if job.status is status:
            return
        time.sleep(0.05)
    raise AssertionError(job)


@pytest.fixture
def queue():
    queue = JobQueue(_stay, max_waiting=2, max_kept=2)
    queue.open()
    yield queue
    queue.close()


def test_jobs_wait_up_to_a_limit_and_can_be_cancelled(queue):
    running = queue.add(("a",))
    until(queue, running.id, JobStatus.RUNNING)
    second, third = queue.add(("b",)), queue.add(("c",))
    with pytest.raises(BusyError):
        queue.add(("d",))
    queue.cancel(second.id)
    assert second.status is JobStatus.CANCELLED
    queue.cancel(running.id)
    until(queue, third.id, JobStatus.RUNNING)
    assert running.status is JobStatus.CANCELLED
    assert running.ended_at is not None
    queue.cancel(running.id)
    assert [job.id for job in queue.all()] == [third.id, second.id, running.id]
    queue.cancel(third.id)
    last = queue.add(("e",))  # of three that are over, two are remembered
    assert [job.id for job in queue.all()] == [last.id, third.id, second.id]


def test_closing_ends_what_runs(queue):
    job = queue.add(("a",))
    until(queue, job.id, JobStatus.RUNNING)
    queue.close()
    assert job.status is JobStatus.CANCELLED
    with pytest.raises(BusyError):
        queue.add(("b",))


def test_a_job_whose_process_dies_has_failed():
    queue = JobQueue(_die, max_waiting=1, max_kept=1)
    queue.open()
    job = queue.add(("a",))
    until(queue, job.id, JobStatus.FAILED)
    assert job.error is not None
    assert "died" in job.error
    queue.close()


def test_a_library_that_cannot_be_written_fails_the_job(config, clips, tmp_path):
    place = tmp_path / "file"
    place.write_text("no library")
    app = create_app(replace(config, library=str(place)))
    with TestClient(app, base_url="http://localhost") as client:
        job = wait_for(client, client.post("/v1/jobs", json={"paths": ["crash.mp4"]}).json()["id"])
        assert job["status"] == "failed"
        assert str(tmp_path) not in job["error"]
        assert "the library" in job["error"]
