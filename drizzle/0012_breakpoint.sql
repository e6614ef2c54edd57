CREATE TABLE "breakpoint" (
	"internal_id" bigint NOT NULL,
	"step_id" text NOT NULL,
	"version_id" bigint DEFAULT 0 NOT NULL,
	"instance_id" bigint DEFAULT 0 NOT NULL,
	"run_id" bigint DEFAULT 0 NOT NULL,
	"attempt_id" integer DEFAULT 0 NOT NULL,
	"workflow_id" text NOT NULL,
	"create_time" bigint NOT NULL,
	"created_by" json NOT NULL,
	CONSTRAINT "breakpoint_scope" PRIMARY KEY("internal_id","step_id","version_id","instance_id","run_id","attempt_id")
);
--> statement-breakpoint
CREATE TABLE "paused_attempt" (
	"run_key" bigint NOT NULL,
	"step_id" text NOT NULL,
	"attempt_id" integer NOT NULL,
	"internal_id" bigint NOT NULL,
	"create_time" bigint NOT NULL,
	CONSTRAINT "paused_attempt_run_key_step_id_attempt_id_pk" PRIMARY KEY("run_key","step_id","attempt_id")
);
--> statement-breakpoint
CREATE INDEX "paused_attempt_step" ON "paused_attempt" USING btree ("internal_id","step_id");