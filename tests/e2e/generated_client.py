"""Drives a host by a client that was generated of its description: `generated_client.py URL TOKEN`."""

import sys
import time

sys.path.insert(0, ".")

from client import AuthenticatedClient, Client
from client.api.pipelines import list_pipelines, start_run
from client.api.quarantine import show_quarantine
from client.api.runs import rerun, show_run
from client.models import Problem, Queued, RerunAsk, Run, RunState, StartAsk


def ended(client: Client, run: str) -> Run:
    """The run, once it has ended."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        shown = show_run.sync_detailed(run, client=client)
        if shown.status_code == 200 and isinstance(shown.parsed, Run) and shown.parsed.ended_at:
            return shown.parsed
        time.sleep(0.05)
    raise SystemExit(f"run {run} does not end: {shown}")


def main(url: str, token: str) -> None:
    reader = Client(base_url=url)
    writer = AuthenticatedClient(base_url=url, token=token)
    [pipeline] = list_pipelines.sync(client=reader).pipelines
    assert pipeline.name == "flights" and len(pipeline.stages) == 6, pipeline

    queued = start_run.sync("flights", client=writer, body=StartAsk())
    assert isinstance(queued, Queued), queued
    first = ended(reader, queued.run)
    assert first.state == RunState.SUCCEEDED and first.totals.rows_loaded > 0, first
    aside = show_quarantine.sync(first.id, client=reader)
    assert aside is not None, aside

    again = rerun.sync(first.id, client=writer, body=RerunAsk(latest=True))
    assert isinstance(again, Queued), again
    second = ended(reader, again.run)
    assert second.state == RunState.SUCCEEDED and second.repeats == first.id, second

    stranger = AuthenticatedClient(base_url=url, token="no")
    refused = start_run.sync_detailed("flights", client=stranger, body=StartAsk())
    assert refused.status_code == 401 and isinstance(refused.parsed, Problem), refused
    print("queued, succeeded, repeated, refused")


main(*sys.argv[1:])
