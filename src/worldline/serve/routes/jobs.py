"""Ingest as jobs: ask for one, watch it, cancel it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from starlette.exceptions import HTTPException

from worldline.core.errors import InputError
from worldline.serve.models import IngestRequest, JobList, JobReport
from worldline.serve.problems import problems
from worldline.serve.service import RETRY_S, Here
from worldline.serve.workshop import BusyError

__all__ = ["router"]

router = APIRouter(prefix="/v1/jobs", tags=["ingest"])

JobId = Annotated[str, Path(pattern="^[0-9a-f]{16}$", description="Id of a job.")]
Offset = Annotated[int, Query(ge=0, le=2**31, description="Results to pass over.")]
Limit = Annotated[int, Query(ge=0, le=1000, description="Most results to answer with.")]


@router.post(
    "",
    status_code=202,
    response_model=JobReport,
    responses=problems(400, 403, 408, 413, 422, 503),
)
async def add_job(here: Here, asked: IngestRequest, response: Response) -> JobReport:
    """Bring videos into the library: the job is queued, and its address is in `Location`.

    Files that are known are passed over, so a job that was stopped goes on when it is asked for
    again.
    """
    try:
        paths = tuple(str(here.roots.find(path)) for path in asked.paths)
    except InputError as error:
        raise HTTPException(422, f"paths: {error}") from None
    try:
        job = here.jobs.add(paths)
    except BusyError:
        said = f"{here.config.max_jobs} jobs wait already; wait for one of them, or cancel it"
        raise HTTPException(503, said, {"Retry-After": RETRY_S}) from None
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return JobReport.of(job)


@router.get("", response_model=JobList, responses=problems(403))
async def list_jobs(here: Here) -> JobList:
    """List jobs, the newest first."""
    return JobList(jobs=[JobReport.of(job) for job in here.jobs.all()])


@router.get("/{job}", response_model=JobReport, responses=problems(403, 404, 422))
async def show_job(here: Here, job: JobId, offset: Offset = 0, limit: Limit = 100) -> JobReport:
    """Tell how far a job is, and what became of its files so far."""
    found = here.jobs.get(job)
    if found is None:
        raise HTTPException(404, f"no job has the id {job}; GET /v1/jobs lists them")
    report = JobReport.of(found, offset=offset, limit=limit)
    if report.error is not None:
        report.error = here.clean(report.error)
    return report


@router.delete("/{job}", response_model=JobReport, responses=problems(403, 404, 422))
async def cancel_job(here: Here, job: JobId) -> JobReport:
    """Cancel a job; what it has brought into the library stays."""
    found = here.jobs.cancel(job)
    if found is None:
        raise HTTPException(404, f"no job has the id {job}; GET /v1/jobs lists them")
    return JobReport.of(found)
