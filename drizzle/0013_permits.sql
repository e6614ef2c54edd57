CREATE SEQUENCE "public"."permit_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
CREATE TABLE "step_permit" (
	"uuid" text NOT NULL,
	"tag" text NOT NULL,
	"most" integer NOT NULL,
	"width" integer NOT NULL,
	"state" text NOT NULL,
	"seq" bigint NOT NULL,
	"run_key" bigint NOT NULL,
	"group_id" integer NOT NULL,
	"step_id" text NOT NULL,
	"create_time" bigint NOT NULL,
	"grant_time" bigint,
	CONSTRAINT "step_permit_uuid_tag_pk" PRIMARY KEY("uuid","tag")
);
--> statement-breakpoint
CREATE TABLE "tag_permit" (
	"tag" text PRIMARY KEY NOT NULL,
	"max_allowed" integer NOT NULL,
	"extra" json,
	"timeline" json,
	"create_time" bigint NOT NULL,
	"modify_time" bigint NOT NULL
);
--> statement-breakpoint
CREATE INDEX "step_permit_held" ON "step_permit" USING btree ("tag","seq") WHERE state = 'HELD';--> statement-breakpoint
CREATE INDEX "step_permit_blocked" ON "step_permit" USING btree ("tag","most","seq") WHERE state = 'BLOCKED';--> statement-breakpoint
CREATE INDEX "step_permit_new" ON "step_permit" USING btree ("seq") WHERE state = 'NEW';