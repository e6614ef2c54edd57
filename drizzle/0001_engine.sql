-- Rows that change after their insert keep room on their page, so that updates stay heap-only.
ALTER TABLE "run" SET (fillfactor = 70);--> statement-breakpoint
ALTER TABLE "step_attempt" SET (fillfactor = 70);--> statement-breakpoint
ALTER TABLE "flow_group" SET (fillfactor = 50);--> statement-breakpoint
ALTER TABLE "workflow" SET (fillfactor = 50);--> statement-breakpoint
-- What makes a batch of a node that has lost a group fail (D4). The key-share locks last until the batch's end: claiming a
-- group locks it for update, a heartbeat does not, so that only a change of owner and a write of the old one exclude each
-- other. The error's detail names the lost ones: a JSON array of [group, generation].
CREATE FUNCTION "fence_groups"("ids" integer[], "generations" bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  held integer;
BEGIN
  SELECT count(*) INTO held FROM (
    SELECT 1 FROM flow_group g
    JOIN unnest(ids, generations) AS s (id, generation) ON g.id = s.id AND g.generation = s.generation
    FOR KEY SHARE OF g
  ) AS locked;
  IF held < cardinality(ids) THEN
    RAISE EXCEPTION 'another node owns a group of this batch' USING ERRCODE = 'MA001', DETAIL = (
      SELECT coalesce(json_agg(json_build_array(s.id, s.generation)), '[]')::text FROM unnest(ids, generations) AS s (id, generation)
      WHERE NOT EXISTS (SELECT 1 FROM flow_group g WHERE g.id = s.id AND g.generation = s.generation)
    );
  END IF;
END $$;
