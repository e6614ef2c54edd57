-- Grants permits that are free: `src/run/permit.ts` is the model of it. One call at a time for the whole database, in one
-- statement, so that it is over soon whatever becomes of the caller.
--
-- It looks at attempts that are new, and at those that are blocked by an opened tag; nobody else can have become free.
-- So whatever makes room for a tag has to open it. All are taken in the order of their arrival. An attempt that is
-- still not free is blocked by another tag from then on: so each look grants permits or waits for another tag.
--
--   opened  tags that may have room; with `sweeps`, every tag that blocks somebody
--   asked   attempts of which the caller wants to know how they stand
--
-- Returns those that were granted their permits, and the asked ones: `blocked_by` is the tag that holds one up. A row with an
-- empty uuid says that there is more to look at: the caller is to open the same tags again.
--
-- Rows that a writer deletes meanwhile (their attempts have ended) are passed over, so it waits for no writer. Whoever
-- ends an attempt opens its tags.
CREATE FUNCTION "assign_permits"("opened" text[], "asked" text[], "sweeps" boolean)
RETURNS TABLE ("uuid" text, "run_key" bigint, "group_id" integer, "step_id" text, "blocked_by" text)
-- Whatever the planner knows of tables that grow and shrink: along the indexes, in their order.
LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  most_looked CONSTANT integer := 2000;
  any_number CONSTANT integer := 2147483647;
  moment CONSTANT bigint := extract(epoch FROM clock_timestamp()) * 1000;
  -- What is looked into: attempts that one tag blocks and that allow as many of it.
  tags text[];
  mosts integer[];
  rooms integer[];
  -- Tags as they stand: what somebody has allowed (NULL: nobody has), how many held one before (NULL: not counted yet),
  -- and how many are granted one now.
  names text[];
  stored integer[];
  held integer[];
  taken integer[];
  found record;
  last bigint := 0;
  cut bigint;
  looked integer := 0;
  is_more boolean := false;
  blocker text;
  n integer;
  most integer;
  grants text[] := '{}';
  moved text[] := '{}';
  blockers text[] := '{}';
BEGIN
  PERFORM pg_advisory_xact_lock(1835099507, 1);

  IF sweeps THEN
    WITH RECURSIVE blocking (tag) AS (
      SELECT (SELECT min(p.tag) FROM step_permit p WHERE p.state = 'BLOCKED')
      UNION ALL
      SELECT (SELECT min(p.tag) FROM step_permit p WHERE p.state = 'BLOCKED' AND p.tag > b.tag)
      FROM blocking b WHERE b.tag IS NOT NULL
    )
    SELECT coalesce(array_agg(b.tag), '{}') INTO opened FROM blocking b WHERE b.tag IS NOT NULL;
  END IF;
  WITH RECURSIVE bucket (tag, most) AS (
    SELECT o.tag, (SELECT min(p.most) FROM step_permit p WHERE p.state = 'BLOCKED' AND p.tag = o.tag)
    FROM (SELECT DISTINCT unnest(opened)) AS o (tag)
    UNION ALL
    SELECT b.tag, (SELECT min(p.most) FROM step_permit p WHERE p.state = 'BLOCKED' AND p.tag = b.tag AND p.most > b.most)
    FROM bucket b WHERE b.most IS NOT NULL
  )
  SELECT coalesce(array_agg(b.tag), '{}'), coalesce(array_agg(b.most), '{}') INTO tags, mosts
  FROM bucket b WHERE b.most IS NOT NULL;
  SELECT coalesce(array_agg(o.tag), '{}'), coalesce(array_agg(t.max_allowed), '{}'),
    coalesce(array_agg((SELECT count(*)::integer FROM step_permit p WHERE p.state = 'HELD' AND p.tag = o.tag)), '{}'),
    coalesce(array_agg(0), '{}')
  INTO names, stored, held, taken
  FROM (SELECT DISTINCT unnest(tags)) AS o (tag) LEFT JOIN tag_permit t ON t.tag = o.tag;

  LOOP
    cut := NULL;
    SELECT coalesce(array_agg(b.tag), '{}'), coalesce(array_agg(b.most), '{}'), coalesce(array_agg(b.room), '{}')
    INTO tags, mosts, rooms
    FROM (
      SELECT c.tag, c.most, coalesce(stored[c.at], c.most) - held[c.at] - taken[c.at] AS room
      FROM (SELECT u.tag, u.most, array_position(names, u.tag) AS at FROM unnest(tags, mosts) AS u (tag, most)) AS c
    ) AS b WHERE b.room > 0;
    -- The next ones of each kind, as far as all kinds reach: some more than fit, since another tag may block them.
    FOR found IN
      WITH next AS MATERIALIZED (
        SELECT b.tag, b.most, p.uuid, p.seq, b.page
        FROM (SELECT u.tag, u.most, least(u.room, 92) + 8 AS page FROM unnest(tags, mosts, rooms) AS u (tag, most, room)) AS b
        CROSS JOIN LATERAL (
          SELECT q.uuid, q.seq FROM step_permit q
          WHERE q.state = 'BLOCKED' AND q.tag = b.tag AND q.most = b.most AND q.seq > last
          ORDER BY q.seq LIMIT b.page
        ) AS p
        UNION ALL
        SELECT NULL, NULL, p.uuid, p.seq, 500 FROM (
          SELECT q.uuid, q.seq FROM step_permit q WHERE q.state = 'NEW' AND q.seq > last ORDER BY q.seq LIMIT 500
        ) AS p
      ), reach AS (
        SELECT min(r.seq) AS seq FROM (
          SELECT max(x.seq) AS seq FROM next x GROUP BY x.tag, x.most, x.page HAVING count(*) = x.page
        ) AS r
      )
      SELECT x.tag, x.most, x.uuid, reach.seq AS cut, own.needs, own.limits, own.width
      FROM next x CROSS JOIN reach CROSS JOIN LATERAL (
        SELECT array_agg(l.tag ORDER BY l.tag) AS needs, array_agg(l.most ORDER BY l.tag) AS limits, max(l.width) AS width
        FROM (SELECT p.tag, p.most, p.width FROM step_permit p WHERE p.uuid = x.uuid FOR UPDATE SKIP LOCKED) AS l
      ) AS own
      WHERE reach.seq IS NULL OR x.seq <= reach.seq ORDER BY x.seq
    LOOP
      cut := found.cut;
      n := array_position(names, found.tag);
      -- Of an attempt that is being ended, not all rows are there to be had, or none.
      CONTINUE WHEN found.width IS NULL OR cardinality(found.needs) IS DISTINCT FROM found.width;
      CONTINUE WHEN found.tag IS NOT NULL AND held[n] + taken[n] >= coalesce(stored[n], found.most);
      looked := looked + 1;

      blocker := NULL;
      FOR i IN 1..cardinality(found.needs) LOOP
        n := array_position(names, found.needs[i]);
        IF n IS NULL THEN
          n := cardinality(names) + 1;
          names[n] := found.needs[i];
          stored[n] := (SELECT t.max_allowed FROM tag_permit t WHERE t.tag = found.needs[i]);
          held[n] := NULL;
          taken[n] := 0;
        END IF;
        most := coalesce(stored[n], found.limits[i]);
        CONTINUE WHEN most = any_number;
        IF held[n] IS NULL THEN
          held[n] := (SELECT count(*) FROM step_permit p WHERE p.state = 'HELD' AND p.tag = found.needs[i]);
        END IF;
        IF held[n] + taken[n] >= most THEN
          blocker := found.needs[i];
          EXIT;
        END IF;
      END LOOP;

      IF blocker IS NULL THEN
        grants := array_append(grants, found.uuid);
        FOR i IN 1..cardinality(found.needs) LOOP
          n := array_position(names, found.needs[i]);
          taken[n] := taken[n] + 1;
        END LOOP;
      ELSIF blocker IS DISTINCT FROM found.tag THEN
        moved := array_append(moved, found.uuid);
        blockers := array_append(blockers, blocker);
      END IF;
    END LOOP;

    EXIT WHEN cut IS NULL;
    is_more := looked >= most_looked;
    EXIT WHEN is_more;
    last := cut;
  END LOOP;

  UPDATE step_permit p SET state = 'HELD', grant_time = moment WHERE p.uuid = ANY(grants);
  UPDATE step_permit p SET state = CASE WHEN p.tag = m.tag THEN 'BLOCKED' ELSE 'WAITING' END
  FROM unnest(moved, blockers) AS m (uuid, tag)
  WHERE p.uuid = m.uuid;

  RETURN QUERY
    SELECT DISTINCT ON (p.uuid) p.uuid, p.run_key, p.group_id, p.step_id,
      CASE WHEN p.state = 'BLOCKED' THEN p.tag END
    FROM step_permit p WHERE p.uuid = ANY(grants || asked) AND p.state IN ('HELD', 'BLOCKED') ORDER BY p.uuid;
  IF is_more THEN
    RETURN QUERY SELECT '', 0::bigint, 0, '', NULL::text;
  END IF;
END $$;
