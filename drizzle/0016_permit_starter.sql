ALTER TABLE "step_permit" ADD COLUMN "starter" text;--> statement-breakpoint
CREATE INDEX "step_permit_starter" ON "step_permit" USING btree ("starter") WHERE starter IS NOT NULL;