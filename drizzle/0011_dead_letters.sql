DROP INDEX "outbox_due";--> statement-breakpoint
CREATE INDEX "outbox_dead" ON "outbox" USING btree ("id") WHERE dead = 1;--> statement-breakpoint
CREATE INDEX "outbox_dead_topic" ON "outbox" USING btree ("kind","id") WHERE dead = 1;--> statement-breakpoint
CREATE INDEX "outbox_due" ON "outbox" USING btree ("kind","next_time") WHERE dead = 0;