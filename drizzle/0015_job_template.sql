CREATE TABLE "job_template" (
	"job_type" text NOT NULL,
	"version" text NOT NULL,
	"metadata" json NOT NULL,
	"definition" json NOT NULL,
	"modify_time" bigint NOT NULL,
	CONSTRAINT "job_template_job_type_version_pk" PRIMARY KEY("job_type","version")
);
--> statement-breakpoint
ALTER TABLE "step_attempt" ADD COLUMN "template" json;--> statement-breakpoint
CREATE INDEX "job_template_version" ON "job_template" USING btree ("version","job_type");