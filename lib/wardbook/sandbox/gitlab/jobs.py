"""Routes of jobs and their artifacts, and the one thing that only the sandbox does: end a job."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from flask import Blueprint, Response, jsonify, send_file

from wardbook.sandbox.gitlab.access import find_code, repository
from wardbook.sandbox.gitlab.beans import project_url, user_bean
from wardbook.sandbox.gitlab.code_beans import commit_bean, pipeline_bean
from wardbook.sandbox.gitlab.paging import paginate
from wardbook.sandbox.gitlab.refusals import not_found
from wardbook.sandbox.house import house, instant, records
from wardbook.sandbox.store import Body, Records

routes = Blueprint("jobs", __name__, url_prefix="/api/v4")
JOB = "/projects/<seg:project>/jobs/<int:job>"


def artifacts_path(directory: Path, job: int) -> Path:
    """Return where a job's artifacts are kept."""
    return directory / "artifacts" / f"{job}.zip"


def finish_job(
    all_records: Records, directory: Path, job: int, status: str, artifacts: dict[str, bytes]
) -> None:
    """End a job and its pipeline, with files as artifacts.

    Raises:
        KeyError: there is no such job.
    """
    body = all_records.get("gitlab.job", job)
    if body is None:
        raise KeyError(f"no job {job}")
    if artifacts:
        path = artifacts_path(directory, job)
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in artifacts.items():
                archive.writestr(name, content)
        body["artifacts_size"] = path.stat().st_size
    body |= {"status": status, "finished_at": instant()}
    all_records.save("gitlab.job", body)
    pipeline = all_records.get("gitlab.pipeline", body["pipeline"])
    if pipeline:
        ended = {"status": status, "updated_at": instant(), "finished_at": instant()}
        all_records.save("gitlab.pipeline", pipeline | ended)


def job_bean(project: Body, job: Body) -> Body:
    """Return a job."""
    pipeline = records().get("gitlab.pipeline", job["pipeline"]) or {}
    size = job["artifacts_size"]
    archive = {"filename": "artifacts.zip", "size": size}
    return {
        "id": job["id"],
        "status": job["status"],
        "stage": "run",
        "name": "run",
        "ref": pipeline["ref"],
        "tag": False,
        "coverage": None,
        "allow_failure": False,
        "created_at": job["created_at"],
        "started_at": job["finished_at"],
        "finished_at": job["finished_at"],
        "erased_at": None,
        "duration": None,
        "queued_duration": None,
        "user": user_bean(pipeline["user"]),
        "commit": commit_bean(project, repository(project).commit(pipeline["sha"])),
        "pipeline": pipeline_bean(project, pipeline),
        "web_url": f"{project_url(project)}/-/jobs/{job['id']}",
        "project": {"ci_job_token_scope_enabled": False},
        "artifacts": [{"file_type": "archive", "file_format": "zip", **archive}] if size else [],
        **({"artifacts_file": archive} if size else {}),
        "runner": None,
        "runner_manager": None,
        "artifacts_expire_at": None,
        "archived": False,
        "tag_list": [],
    }


def find_job(project: str, job: int) -> tuple[Body, Body]:
    """Return a project and one of its jobs.

    Raises:
        Refused: 404.
    """
    found, _ = find_code(project)
    for body in records().all("gitlab.job", found["id"]):
        if body["id"] == job:
            return found, body
    raise not_found()


@routes.get("/projects/<seg:project>/jobs")
def list_jobs(project: str) -> Response:
    """Return the jobs, newest first."""
    found, _ = find_code(project)
    return paginate(
        records().all("gitlab.job", found["id"])[::-1], lambda job: job_bean(found, job)
    )


@routes.get("/projects/<seg:project>/pipelines/<int:pipeline>/jobs")
def list_pipeline_jobs(project: str, pipeline: int) -> Response:
    """Return the jobs of a pipeline."""
    found, _ = find_code(project)
    jobs = [j for j in records().all("gitlab.job", found["id"]) if j["pipeline"] == pipeline]
    return paginate(jobs, lambda job: job_bean(found, job))


@routes.get(JOB)
def read(project: str, job: int) -> Response:
    """Return one job."""
    return jsonify(job_bean(*find_job(project, job)))


def find_archive(project: str, job: int) -> Path:
    """Return the file of a job's artifacts.

    Raises:
        Refused: 404, the job has none.
    """
    _, body = find_job(project, job)
    path = artifacts_path(house().directory, body["id"])
    if not path.exists():
        raise not_found()
    return path


@routes.get(f"{JOB}/artifacts")
def download(project: str, job: int) -> Response:
    """Return all artifacts as one archive."""
    return send_file(find_archive(project, job), "application/zip", as_attachment=True)


@routes.get(f"{JOB}/artifacts/<slashed:path>")
def download_one(project: str, job: int, path: str) -> Response:
    """Return one file of the artifacts."""
    with zipfile.ZipFile(find_archive(project, job)) as archive:
        if path not in archive.namelist():
            raise not_found()
        content = io.BytesIO(archive.read(path))
    return send_file(content, "application/octet-stream", download_name="artifact")
