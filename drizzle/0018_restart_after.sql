DROP FUNCTION "start_runs"(
  text[], bigint[], bigint[], bigint[], bigint[], text[], integer[], bigint[], bigint[], integer[], bigint[], bigint[],
  integer[], text[], json[], json[], json[], json[], json[], bigint[], text[], bigint[], json[], json[]
);
--> statement-breakpoint
-- Creates runs in one round trip. Under the locks of the workflows' rows, one request after the other: finds those that
-- were made before, hands out instance and run ids, lets the run strategy decide, inserts.
--
-- | rule               | a new run                                                              |
-- |--------------------|------------------------------------------------------------------------|
-- | SEQUENTIAL         | goes when there is room and no earlier instance waits, else waits      |
-- | PARALLEL           | the same                                                               |
-- | STRICT_SEQUENTIAL  | the same, but nothing goes while a run of the workflow is FAILED       |
-- | FIRST_ONLY         | is stopped while any run is unfinished                                 |
-- | LAST_ONLY          | stops what waits and what runs, and goes when that has ended           |
-- | SERIAL_LATEST_ONLY | stops what waits, and goes when there is room                          |
--
-- Of a paused workflow nothing goes: FIRST_ONLY and LAST_ONLY, which don't queue, make no run at all.
--
-- Requests with the same number in `batches`, side by side, are one decision: where a newer run stops what is older, the
-- last of them stops the others before they have begun.
--
-- A request with `restart_ofs` makes the next run of that instance, if its latest one has ended and is the one in
-- `restart_afters` (NULL: whichever), from which it was made; a failed run of it holds nothing back any more. One with `parent_keys` is made by a step of that run, and only by the owner of its group.
--
-- The arrays have an element for each request, those of one workflow side by side, no uuid twice. Returns a row for each
-- request, in order: LAUNCHED, QUEUED, STOPPED or FAILED for a new run; DUPLICATED; CHANGED when the workflow is not as
-- `revisions` says any more, or the instance not as `restart_afters` says; STALE when the parent has another owner; MISSING when there is no such instance, UNFINISHED
-- with the run of it that has not ended; PAUSED. Before them: STOPS for a run that waited and was stopped for a newer one,
-- with its parent, and ASKS for a running one that is asked to stop.
CREATE FUNCTION "start_runs"(
  "workflow_ids" text[], "seeds" bigint[], "internal_ids" bigint[], "revisions" bigint[], "start_ids" bigint[],
  "uuids" text[], "batches" integer[], "restart_ofs" bigint[], "restart_afters" bigint[], "parent_keys" bigint[], "parent_groups" integer[],
  "parent_generations" bigint[], "version_ids" bigint[], "group_infos" integer[], "correlation_ids" text[],
  "initiators" json[], "configs" json[], "run_param_sets" json[], "property_sets" json[], "param_sets" json[],
  "timeouts" bigint[], "statuses" text[], "request_times" bigint[], "artifact_sets" json[], "timelines" json[]
) RETURNS TABLE (
  "result" text, "workflow_id" text, "instance_id" bigint, "run_id" bigint, "version_id" bigint, "key" bigint,
  "group_id" integer, "status" text, "create_time" bigint, "parent_key" bigint, "parent_group" integer
) LANGUAGE plpgsql AS $$
DECLARE
  place record;
  known record;
  latest bigint;
  running bigint;
  -- The first instance that waits; NULL: none.
  front bigint;
  -- Some that wait are in the table, not only in this batch; all that run are asked to stop.
  queued boolean;
  asked boolean;
  failed boolean;
  now_ms bigint;
  -- Of the instance that is to run again: its latest run, and whether that has not ended.
  before bigint;
  unfinished boolean;
  stale boolean;
  -- Of the request at that position.
  results text[];
  instance_ids bigint[];
  run_ids bigint[];
  made_versions bigint[];
  keys bigint[];
  group_ids integer[];
  stored text[];
  starts bigint[];
  events json[];
  -- Positions of new runs: of the workflow's that wait, of its that go, of all.
  waiting integer[];
  going integer[];
  fresh integer[] := '{}';
BEGIN
  -- Locks are taken in one order everywhere: workflow by id, outbox, run.
  PERFORM 1 FROM workflow w WHERE w.workflow_id = ANY(workflow_ids) ORDER BY w.workflow_id FOR UPDATE;
  -- Under the locks, so that create times have the order of the ids.
  now_ms := (extract(epoch FROM clock_timestamp()) * 1000)::bigint;
  create_time := now_ms;

  FOR i IN 1..cardinality(workflow_ids) LOOP
    IF workflow_id IS DISTINCT FROM workflow_ids[i] THEN
      workflow_id := workflow_ids[i];
      SELECT w.internal_id, w.revision, w.run_rule, w.run_concurrency, w.paused, w.latest_instance_id,
        (SELECT count(*) FROM (
          SELECT 1 FROM run r WHERE r.workflow_id = w.workflow_id
            AND r.status IN ('CREATED', 'IN_PROGRESS', 'PAUSED') AND r.execution_id IS NOT NULL
          LIMIT greatest(w.run_concurrency, 1)) AS launched) AS running,
        (SELECT r.instance_id FROM run r WHERE r.workflow_id = w.workflow_id
          AND r.status = 'CREATED' AND r.execution_id IS NULL
          ORDER BY r.workflow_id, r.instance_id, r.run_id LIMIT 1) AS front,
        w.run_rule = 'STRICT_SEQUENTIAL'
          AND EXISTS (SELECT 1 FROM run r WHERE r.workflow_id = w.workflow_id AND r.status = 'FAILED') AS failed
      INTO place FROM workflow w WHERE w.workflow_id = workflow_ids[i];
      running := place.running;
      front := place.front;
      queued := front IS NOT NULL;
      asked := false;
      failed := place.failed;
      latest := place.latest_instance_id;
      waiting := '{}';
      going := '{}';
    END IF;
    SELECT r.instance_id, r.run_id, r.version_id, r.key, r.group_id, r.start_id, r.status, r.execution_id
      INTO known FROM run r WHERE r.workflow_id = workflow_ids[i] AND r.uuid = uuids[i];
    before := 0;
    unfinished := false;
    IF restart_ofs[i] IS NOT NULL THEN
      -- The runs that this batch has made are in no table yet.
      SELECT it.run_id, it.status IN ('CREATED', 'IN_PROGRESS', 'PAUSED') INTO before, unfinished FROM (
        SELECT r.run_id, r.status FROM run r WHERE r.workflow_id = workflow_ids[i] AND r.instance_id = restart_ofs[i]
        UNION ALL SELECT run_ids[j], stored[j] FROM unnest(fresh) AS j
          WHERE workflow_ids[j] = workflow_ids[i] AND instance_ids[j] = restart_ofs[i]
      ) AS it (run_id, status) ORDER BY it.run_id DESC LIMIT 1;
    END IF;

    stale := false;
    IF parent_keys[i] IS NOT NULL THEN
      -- Held until the commit, as `fence_groups` does it.
      PERFORM 1 FROM flow_group g WHERE g.id = parent_groups[i] AND g.generation = parent_generations[i] FOR KEY SHARE;
      stale := NOT FOUND;
    END IF;

    IF stale THEN
      result := 'STALE';
    ELSIF place.internal_id IS DISTINCT FROM internal_ids[i] THEN
      result := 'CHANGED';
    ELSIF known.key IS NOT NULL THEN
      instance_ids[i] := known.instance_id;
      run_ids[i] := known.run_id;
      made_versions[i] := known.version_id;
      keys[i] := known.key;
      group_ids[i] := known.group_id;
      stored[i] := known.status;
      -- Made by this very request, whose commit was not heard of? What has moved on since then is not launched again.
      result := CASE
        WHEN known.start_id <> start_ids[i] THEN 'DUPLICATED'
        WHEN known.status = 'STOPPED' AND known.execution_id IS NULL THEN 'STOPPED'
        WHEN known.status LIKE 'FAILED%' AND known.execution_id IS NULL THEN 'FAILED'
        WHEN known.status = 'CREATED' AND known.execution_id IS NOT NULL THEN 'LAUNCHED'
        ELSE 'QUEUED' END;
    ELSIF place.revision <> revisions[i] THEN
      result := 'CHANGED';
    ELSIF before IS NULL THEN
      result := 'MISSING';
    ELSIF unfinished THEN
      result := 'UNFINISHED';
      instance_ids[i] := restart_ofs[i];
      run_ids[i] := before;
    ELSIF before <> restart_afters[i] THEN
      result := 'CHANGED';
    ELSIF place.paused AND place.run_rule IN ('FIRST_ONLY', 'LAST_ONLY') THEN
      result := 'PAUSED';
    ELSE
      instance_ids[i] := coalesce(restart_ofs[i], latest + 1);
      run_ids[i] := before + 1;
      latest := greatest(latest, instance_ids[i]);
      IF restart_ofs[i] IS NOT NULL THEN
        IF place.run_rule = 'STRICT_SEQUENTIAL' AND failed THEN
          -- What waited behind the failed run, and goes before this one.
          PERFORM announce_dequeue(workflow_ids[i], now_ms);
        END IF;
        UPDATE run r SET status = 'FAILED_2' WHERE r.workflow_id = workflow_ids[i] AND r.instance_id = restart_ofs[i]
          AND r.status = 'FAILED';
        failed := false;
        FOR j IN 1..cardinality(fresh) LOOP
          IF workflow_ids[fresh[j]] = workflow_ids[i] AND stored[fresh[j]] = 'FAILED' THEN
            IF instance_ids[fresh[j]] = restart_ofs[i] THEN
              stored[fresh[j]] := 'FAILED_2';
            ELSE
              failed := true;
            END IF;
          END IF;
        END LOOP;
        failed := failed OR place.failed
          AND EXISTS (SELECT 1 FROM run r WHERE r.workflow_id = workflow_ids[i] AND r.status = 'FAILED');
      END IF;
      IF statuses[i] = 'FAILED' THEN
        result := 'FAILED';
        failed := true;
      ELSIF place.run_rule = 'FIRST_ONLY' THEN
        result := 'LAUNCHED';
        IF running > 0 OR front IS NOT NULL THEN
          result := 'STOPPED';
          starts[i] := now_ms;
          events[i] := stopped_event(place.run_rule, now_ms);
        END IF;
      ELSE
        IF place.run_rule IN ('LAST_ONLY', 'SERIAL_LATEST_ONLY') THEN
          IF batches[i] = batches[going[cardinality(going)]] THEN
            waiting := waiting || going[cardinality(going)];
            going := going[:cardinality(going) - 1];
            running := running - 1;
          END IF;
          IF queued THEN
            result := 'STOPS';
            FOR instance_id, run_id, version_id, key, group_id, status, parent_key, parent_group IN
              UPDATE run r SET status = 'STOPPED', end_time = now_ms, modify_time = now_ms,
                start_time = CASE WHEN place.run_rule = 'LAST_ONLY' THEN now_ms END,
                timeline = with_event(r.timeline, stopped_event(place.run_rule, now_ms))
              WHERE r.workflow_id = workflow_ids[i] AND r.status = 'CREATED' AND r.execution_id IS NULL
              RETURNING r.instance_id, r.run_id, r.version_id, r.key, r.group_id, r.status, r.parent_key,
                (SELECT p.group_id FROM run p WHERE p.key = r.parent_key)
            LOOP
              RETURN NEXT;
            END LOOP;
            parent_key := NULL;
            parent_group := NULL;
            queued := false;
          END IF;
          FOR j IN 1..cardinality(waiting) LOOP
            results[waiting[j]] := 'STOPPED';
            stored[waiting[j]] := 'STOPPED';
            starts[waiting[j]] := CASE WHEN place.run_rule = 'LAST_ONLY' THEN now_ms END;
            events[waiting[j]] := stopped_event(place.run_rule, now_ms);
          END LOOP;
          waiting := '{}';
          front := NULL;
        END IF;
        IF running > 0 AND NOT asked AND place.run_rule = 'LAST_ONLY' THEN
          result := 'ASKS';
          FOR key, group_id IN
            INSERT INTO run_word AS a (run_key, group_id, kind, "user", reason, create_time)
            SELECT it.key, it.group_id, 'STOP', '"maestro_run_strategy"',
              'The run strategy LAST_ONLY makes way for a newer run.', now_ms
            FROM (
              SELECT r.key, r.group_id FROM run r WHERE r.workflow_id = workflow_ids[i]
                AND r.status IN ('CREATED', 'IN_PROGRESS', 'PAUSED') AND r.execution_id IS NOT NULL
              UNION ALL SELECT keys[j], group_ids[j] FROM unnest(going) AS j
            ) AS it (key, group_id)
            WHERE NOT EXISTS (SELECT 1 FROM run_word w WHERE w.run_key = it.key)
            ON CONFLICT DO NOTHING
            RETURNING a.run_key, a.group_id
          LOOP
            RETURN NEXT;
          END LOOP;
          asked := true;
        END IF;
        result := CASE
          WHEN place.paused OR running >= place.run_concurrency OR front < instance_ids[i]
            OR place.run_rule = 'STRICT_SEQUENTIAL' AND failed THEN 'QUEUED'
          ELSE 'LAUNCHED' END;
      END IF;
      fresh := fresh || i;
      made_versions[i] := version_ids[i];
      keys[i] := nextval('run_key_seq');
      group_ids[i] := run_group(seeds[i], instance_ids[i], run_ids[i], group_infos[i]);
      stored[i] := CASE WHEN result IN ('STOPPED', 'FAILED') THEN result ELSE 'CREATED' END;
      IF result = 'LAUNCHED' THEN
        running := running + 1;
        going := going || i;
      ELSIF result = 'QUEUED' THEN
        front := least(front, instance_ids[i]);
        waiting := waiting || i;
      END IF;
    END IF;
    results[i] := result;

    IF latest > place.latest_instance_id AND workflow_id IS DISTINCT FROM workflow_ids[i + 1] THEN
      UPDATE workflow w SET latest_instance_id = latest WHERE w.workflow_id = workflow_ids[i];
    END IF;
  END LOOP;

  INSERT INTO run (workflow_id, instance_id, run_id, key, uuid, start_id, internal_id, version_id, group_id, group_info,
    correlation_id, parent_key, initiator, config, run_params, properties, params, timeout_ms, status, execution_id,
    request_time, create_time, start_time, end_time, modify_time, artifacts, timeline)
  SELECT workflow_ids[i], instance_ids[i], run_ids[i], keys[i], uuids[i], start_ids[i], internal_ids[i], made_versions[i],
    group_ids[i], group_infos[i], correlation_ids[i], parent_keys[i], initiators[i], configs[i], run_param_sets[i],
    property_sets[i], param_sets[i], timeouts[i], stored[i], CASE WHEN results[i] = 'LAUNCHED' THEN uuids[i] END,
    request_times[i], now_ms, starts[i], CASE WHEN stored[i] <> 'CREATED' THEN now_ms END, now_ms, artifact_sets[i],
    CASE WHEN events[i] IS NULL THEN timelines[i] ELSE with_event(timelines[i], events[i]) END
  FROM unnest(fresh) AS i;

  FOR i IN 1..cardinality(results) LOOP
    result := results[i];
    workflow_id := workflow_ids[i];
    instance_id := instance_ids[i];
    run_id := run_ids[i];
    version_id := made_versions[i];
    key := keys[i];
    group_id := group_ids[i];
    status := stored[i];
    RETURN NEXT;
  END LOOP;
END $$;
