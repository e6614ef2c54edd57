CREATE SEQUENCE "public"."run_key_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
CREATE SEQUENCE "public"."workflow_internal_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 10000 CACHE 1;--> statement-breakpoint
CREATE TABLE "flow_group" (
	"id" integer PRIMARY KEY NOT NULL,
	"node" text,
	"generation" bigint DEFAULT 0 NOT NULL,
	"heartbeat" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "node" (
	"id" text PRIMARY KEY NOT NULL,
	"url" text NOT NULL,
	"version" text NOT NULL,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"heartbeat" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "setting" (
	"key" text PRIMARY KEY NOT NULL,
	"value" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "outbox_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"kind" text NOT NULL,
	"key" text NOT NULL,
	"payload" json,
	"create_time" bigint NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_time" bigint DEFAULT 0 NOT NULL,
	"error" text,
	"dead" integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "run" (
	"workflow_id" text NOT NULL,
	"instance_id" bigint NOT NULL,
	"run_id" bigint NOT NULL,
	"key" bigint NOT NULL,
	"uuid" text NOT NULL,
	"internal_id" bigint NOT NULL,
	"version_id" bigint NOT NULL,
	"group_id" integer NOT NULL,
	"group_info" integer NOT NULL,
	"correlation_id" text,
	"initiator" json NOT NULL,
	"config" json NOT NULL,
	"run_params" json,
	"properties" json NOT NULL,
	"params" json,
	"timeout_ms" bigint,
	"status" text NOT NULL,
	"execution_id" text,
	"request_time" bigint NOT NULL,
	"create_time" bigint NOT NULL,
	"start_time" bigint,
	"end_time" bigint,
	"modify_time" bigint NOT NULL,
	"overview" json,
	"artifacts" json,
	"timeline" json,
	CONSTRAINT "run_workflow_id_instance_id_run_id_pk" PRIMARY KEY("workflow_id","instance_id","run_id")
);
--> statement-breakpoint
CREATE TABLE "run_action" (
	"run_key" bigint PRIMARY KEY NOT NULL,
	"group_id" integer NOT NULL,
	"action" text NOT NULL,
	"user" json NOT NULL,
	"reason" text,
	"create_time" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "step_attempt" (
	"run_key" bigint NOT NULL,
	"step_id" text NOT NULL,
	"attempt_id" integer NOT NULL,
	"uuid" text NOT NULL,
	"step_instance_id" integer NOT NULL,
	"status" text NOT NULL,
	"times" text NOT NULL,
	"params" json,
	"params_time" bigint,
	"conditions" json,
	"conditions_time" bigint,
	"retry" json,
	"timeout_ms" bigint,
	"artifacts" json,
	"timeline" json,
	"poll_time" bigint,
	"place" json,
	CONSTRAINT "step_attempt_run_key_step_id_attempt_id_pk" PRIMARY KEY("run_key","step_id","attempt_id")
);
--> statement-breakpoint
CREATE TABLE "step_log" (
	"uuid" text NOT NULL,
	"stream" text NOT NULL,
	"offset" bigint NOT NULL,
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "step_log_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"length" integer DEFAULT 0 NOT NULL,
	"text" text NOT NULL,
	"time" bigint NOT NULL,
	CONSTRAINT "step_log_uuid_stream_offset_pk" PRIMARY KEY("uuid","stream","offset")
);
--> statement-breakpoint
CREATE TABLE "workflow" (
	"workflow_id" text PRIMARY KEY NOT NULL,
	"internal_id" bigint DEFAULT nextval('workflow_internal_id_seq') NOT NULL,
	"active_version" bigint DEFAULT 0 NOT NULL,
	"activate_time" bigint,
	"activated_by" json,
	"properties" json NOT NULL,
	"run_rule" text DEFAULT 'SEQUENTIAL' NOT NULL,
	"run_concurrency" integer DEFAULT 1 NOT NULL,
	"revision" bigint DEFAULT 0 NOT NULL,
	"latest_version" bigint NOT NULL,
	"latest_instance_id" bigint DEFAULT 0 NOT NULL,
	"create_time" bigint NOT NULL,
	"modify_time" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "workflow_deleted" (
	"workflow_id" text NOT NULL,
	"internal_id" bigint NOT NULL,
	"latest_instance_id" bigint NOT NULL,
	"author" json NOT NULL,
	"create_time" bigint NOT NULL,
	"done" boolean DEFAULT false NOT NULL,
	CONSTRAINT "workflow_deleted_workflow_id_internal_id_pk" PRIMARY KEY("workflow_id","internal_id")
);
--> statement-breakpoint
CREATE TABLE "workflow_properties" (
	"internal_id" bigint NOT NULL,
	"create_time" bigint NOT NULL,
	"workflow_id" text NOT NULL,
	"snapshot" json NOT NULL,
	CONSTRAINT "workflow_properties_internal_id_create_time_pk" PRIMARY KEY("internal_id","create_time")
);
--> statement-breakpoint
CREATE TABLE "workflow_timeline" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "workflow_timeline_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"workflow_id" text NOT NULL,
	"author" json NOT NULL,
	"log" text NOT NULL,
	"create_time" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "workflow_version" (
	"internal_id" bigint NOT NULL,
	"version_id" bigint NOT NULL,
	"workflow_id" text NOT NULL,
	"definition" json NOT NULL,
	"metadata" json NOT NULL,
	"trigger_uuids" json,
	"create_time" bigint NOT NULL,
	CONSTRAINT "workflow_version_internal_id_version_id_pk" PRIMARY KEY("internal_id","version_id")
);
--> statement-breakpoint
CREATE UNIQUE INDEX "outbox_key" ON "outbox" USING btree ("kind","key");--> statement-breakpoint
CREATE INDEX "outbox_due" ON "outbox" USING btree ("kind","next_time");--> statement-breakpoint
CREATE UNIQUE INDEX "run_uuid" ON "run" USING btree ("uuid","workflow_id");--> statement-breakpoint
CREATE UNIQUE INDEX "run_key" ON "run" USING btree ("key");--> statement-breakpoint
CREATE INDEX "run_unfinished_group" ON "run" USING btree ("group_id","key") WHERE status in ('CREATED', 'IN_PROGRESS', 'PAUSED');--> statement-breakpoint
CREATE INDEX "run_running" ON "run" USING btree ("workflow_id") WHERE status in ('CREATED', 'IN_PROGRESS', 'PAUSED') and execution_id is not null;--> statement-breakpoint
CREATE INDEX "run_waiting" ON "run" USING btree ("workflow_id","instance_id","run_id") WHERE status = 'CREATED' and execution_id is null;--> statement-breakpoint
CREATE INDEX "run_failed" ON "run" USING btree ("workflow_id") WHERE status = 'FAILED';--> statement-breakpoint
CREATE INDEX "step_log_order" ON "step_log" USING btree ("uuid","id");--> statement-breakpoint
CREATE INDEX "workflow_timeline_workflow" ON "workflow_timeline" USING btree ("workflow_id","id");