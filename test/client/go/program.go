// What a user of the generated client writes: push, start, wait, read. The argument is the server's address.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"

	"maestro-client/maestro"
)

const workflowID, user = "go-client", "generated"

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(server string) error {
	ctx := context.Background()
	client, err := maestro.NewClientWithResponses(server)
	if err != nil {
		return err
	}
	definition, err := workflow()
	if err != nil {
		return err
	}
	pushed, err := client.CreateWorkflowWithResponse(ctx, &maestro.CreateWorkflowParams{User: user}, definition)
	if err != nil || pushed.JSON200 == nil {
		return refused(pushed.HTTPResponse, pushed.Body, err)
	}
	version := pushed.JSON200.WorkflowDefinition.Metadata.WorkflowVersionId

	request := maestro.WorkflowStartRequest{}
	manual := maestro.ManualInitiatorInput{Type: maestro.ManualInitiatorInputTypeMANUAL}
	if err := request.Initiator.FromManualInitiatorInput(manual); err != nil {
		return err
	}
	named := &maestro.StartRunParams{User: user}
	started, err := client.StartRunWithResponse(ctx, workflowID, strconv.FormatInt(version, 10), named, request)
	if err != nil || started.JSON200 == nil {
		return refused(started.HTTPResponse, started.Body, err)
	}
	instance := started.JSON200.WorkflowInstanceId

	wait, limit, id := int64(30), int64(1), workflowID
	ended, err := client.GetRunWithResponse(ctx, id, instance, "latest", &maestro.GetRunParams{Wait: &wait})
	if err != nil || ended.JSON200 == nil {
		return refused(ended.HTTPResponse, ended.Body, err)
	}
	steps, err := client.ListInstanceStepsWithResponse(ctx, id, instance)
	if err != nil || steps.JSON200 == nil {
		return refused(steps.HTTPResponse, steps.Body, err)
	}
	listed, err := client.ListRunsWithResponse(ctx, &maestro.ListRunsParams{WorkflowId: &id, Limit: &limit})
	if err != nil || listed.JSON200 == nil {
		return refused(listed.HTTPResponse, listed.Body, err)
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"version": version,
		"status":  ended.JSON200.Status,
		"steps":   len(*steps.JSON200),
		"listed":  len(listed.JSON200.Elements),
	})
}

func workflow() (maestro.WorkflowCreateRequest, error) {
	day := maestro.ParamDefinitionInput{}
	value := int64(20260301)
	long := maestro.LongParamDefinitionInput{Type: maestro.LongParamDefinitionInputTypeLONG, Value: &value}
	if err := day.FromLongParamDefinitionInput(long); err != nil {
		return maestro.WorkflowCreateRequest{}, err
	}
	owner, strategy := maestro.User{}, maestro.RunStrategyInput{}
	if err := owner.FromUser0(user); err != nil {
		return maestro.WorkflowCreateRequest{}, err
	}
	if err := strategy.FromRunStrategyInput0("PARALLEL"); err != nil {
		return maestro.WorkflowCreateRequest{}, err
	}
	successors := map[string]string{"second": "day > 0"}
	transition := &maestro.StepTransition{Successors: &successors}
	return maestro.WorkflowCreateRequest{
		Properties: &maestro.Properties{Owner: &owner, RunStrategy: &strategy},
		Workflow: maestro.WorkflowInput{
			Id:     workflowID,
			Params: &map[string]maestro.ParamDefinitionInput{"day": day},
			Steps: []maestro.StepDefinitionInput{
				{Step: &maestro.TypedStepInput{Id: "first", Type: "NoOp", Transition: transition}},
				{Step: &maestro.TypedStepInput{Id: "second", Type: "NoOp"}},
			},
		},
	}, nil
}

func refused(response *http.Response, body []byte, err error) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%s: %s", response.Status, body)
}
