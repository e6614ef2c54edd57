-- Rows that change after their insert keep room on their page, so that updates stay heap-only.
ALTER TABLE "run" SET (fillfactor = 70);--> statement-breakpoint
ALTER TABLE "step_attempt" SET (fillfactor = 70);--> statement-breakpoint
ALTER TABLE "flow_group" SET (fillfactor = 50);--> statement-breakpoint
ALTER TABLE "workflow" SET (fillfactor = 50);
