DROP INDEX "run_uuid";--> statement-breakpoint
CREATE UNIQUE INDEX "run_uuid" ON "run" USING btree ("uuid","workflow_id");