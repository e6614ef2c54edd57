"""What a user of the generated package writes: push, start, wait, read. The argument is the server's address."""

import json
import sys

from maestro_client import Client
from maestro_client.api.run import get_run, list_runs, start_run
from maestro_client.api.step import list_instance_steps
from maestro_client.api.workflow import create_workflow
from maestro_client.models import (
    RunList,
    WorkflowCreateRequest,
    WorkflowCreateResponse,
    WorkflowInstance,
    WorkflowStartRequest,
    WorkflowStartResponse,
)

WORKFLOW = "python-client"

client = Client(base_url=sys.argv[1], raise_on_unexpected_status=True)

pushed = create_workflow.sync(
    client=client,
    user="generated",
    body=WorkflowCreateRequest.from_dict(
        {
            "properties": {"owner": "generated", "run_strategy": "PARALLEL"},
            "workflow": {
                "id": WORKFLOW,
                "params": {"day": {"type": "LONG", "value": 20260301}},
                "steps": [
                    {"step": {"id": "first", "type": "NoOp", "transition": {"successors": {"second": "day > 0"}}}},
                    {"step": {"id": "second", "type": "NoOp"}},
                ],
            },
        }
    ),
)
assert isinstance(pushed, WorkflowCreateResponse), pushed
version: int = pushed.workflow_definition.metadata.workflow_version_id

started = start_run.sync(
    WORKFLOW,
    str(version),
    client=client,
    user="generated",
    body=WorkflowStartRequest.from_dict(
        {"initiator": {"type": "manual"}, "run_params": {"day": {"type": "LONG", "value": 20260302}}}
    ),
)
assert isinstance(started, WorkflowStartResponse), started
instance: int = started.workflow_instance_id

run = get_run.sync(WORKFLOW, instance, "latest", client=client, wait=30)
assert isinstance(run, WorkflowInstance), run

steps = list_instance_steps.sync(WORKFLOW, instance, client=client)
assert isinstance(steps, list), steps

listed = list_runs.sync(client=client, workflow_id=WORKFLOW, limit=1)
assert isinstance(listed, RunList), listed

print(
    json.dumps(
        {"version": version, "status": run.status, "steps": len(steps), "listed": len(listed.elements)},
        default=str,
    )
)
