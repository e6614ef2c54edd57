-- A word may bring something along, and an attempt that a user has made in a live run has a restart of its own.
ALTER TABLE "run_word" ADD COLUMN "payload" json;--> statement-breakpoint
ALTER TABLE "step_attempt" ADD COLUMN "restart" json;