ALTER TABLE "step_attempt" ADD COLUMN "params_time" bigint;--> statement-breakpoint
ALTER TABLE "step_attempt" ADD COLUMN "conditions_time" bigint;