-- A run that a step has started and that its run strategy ends before it has an owner: whoever ends it, its permit goes along.
-- Any other run's goes with the batch of its end.
CREATE FUNCTION "release_permits_of_queued"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM step_permit WHERE uuid = NEW.uuid;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER "queued_run_ends" AFTER UPDATE ON "run" FOR EACH ROW
WHEN (NEW.parent_key IS NOT NULL AND NEW.execution_id IS NULL AND NEW.end_time IS NOT NULL AND OLD.end_time IS NULL)
EXECUTE FUNCTION release_permits_of_queued();
--> statement-breakpoint
CREATE TRIGGER "run_ends_at_start" AFTER INSERT ON "run" FOR EACH ROW
WHEN (NEW.parent_key IS NOT NULL AND NEW.execution_id IS NULL AND NEW.end_time IS NOT NULL)
EXECUTE FUNCTION release_permits_of_queued();
