-- What the run strategies ask about a workflow, however many of its runs wait: those that run, those that wait in the order
-- in which they go, and those that failed. A run is in one of the three at most.
CREATE INDEX "run_running" ON "run" ("workflow_id") WHERE status IN ('CREATED', 'IN_PROGRESS', 'PAUSED') AND execution_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX "run_waiting" ON "run" ("workflow_id", "instance_id", "run_id") WHERE status = 'CREATED' AND execution_id IS NULL;--> statement-breakpoint
CREATE INDEX "run_failed" ON "run" ("workflow_id") WHERE status = 'FAILED';
