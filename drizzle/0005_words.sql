-- What is said to a run, or to one of its steps, is a row for each kind of word, so that the owner of a run that it knows reads the new words only.
CREATE TABLE "run_word" (
	"run_key" bigint NOT NULL,
	"step_id" text DEFAULT '' NOT NULL,
	"kind" text NOT NULL,
	"group_id" integer NOT NULL,
	"user" json NOT NULL,
	"reason" text,
	"create_time" bigint NOT NULL,
	CONSTRAINT "run_word_run_key_step_id_kind_pk" PRIMARY KEY("run_key","step_id","kind")
);
--> statement-breakpoint
INSERT INTO "run_word" ("run_key", "kind", "group_id", "user", "reason", "create_time")
SELECT "run_key", "action", "group_id", "user", "reason", "create_time" FROM "run_action";
--> statement-breakpoint
DROP TABLE "run_action";
--> statement-breakpoint
-- Creates runs in one round trip. Under the locks of the workflows' rows, one request after the other: finds those that
-- were made before, hands out instance ids, lets the run strategy decide, inserts.
--
-- | rule               | a new run                                                        |
-- |--------------------|------------------------------------------------------------------|
-- | SEQUENTIAL         | goes when there is room and nothing older waits, else waits      |
-- | PARALLEL           | the same                                                         |
-- | STRICT_SEQUENTIAL  | the same, but nothing goes while a run of the workflow is FAILED |
-- | FIRST_ONLY         | is stopped while any run is unfinished                           |
-- | LAST_ONLY          | stops what waits and what runs, and goes when that has ended     |
-- | SERIAL_LATEST_ONLY | stops what waits, and goes when there is room                    |
--
-- The arrays have an element for each request, those of one workflow side by side, no uuid twice. Returns a row for each
-- request, in order: LAUNCHED, QUEUED, STOPPED or FAILED for a new run; DUPLICATED; CHANGED when the workflow is not as
-- `revisions` says any more. Before them: STOPS for a run that waited and was stopped for a newer one, and ASKS for a
-- running one that is asked to stop.
CREATE OR REPLACE FUNCTION "start_runs"(
  "workflow_ids" text[], "seeds" bigint[], "internal_ids" bigint[], "revisions" bigint[], "start_ids" bigint[],
  "uuids" text[], "version_ids" bigint[], "group_infos" integer[], "correlation_ids" text[], "initiators" json[],
  "configs" json[], "run_param_sets" json[], "property_sets" json[], "param_sets" json[], "timeouts" bigint[],
  "statuses" text[], "request_times" bigint[], "artifact_sets" json[], "timelines" json[]
) RETURNS TABLE (
  "result" text, "workflow_id" text, "instance_id" bigint, "run_id" bigint, "version_id" bigint, "key" bigint,
  "group_id" integer, "create_time" bigint
) LANGUAGE plpgsql AS $$
DECLARE
  place record;
  known record;
  latest bigint;
  running bigint;
  waits boolean;
  failed boolean;
  now_ms bigint;
  -- Of the request at that position.
  results text[];
  instance_ids bigint[];
  run_ids bigint[];
  made_versions bigint[];
  keys bigint[];
  group_ids integer[];
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
      SELECT w.internal_id, w.revision, w.run_rule, w.run_concurrency, w.latest_instance_id,
        (SELECT count(*) FROM (
          SELECT 1 FROM run r WHERE r.workflow_id = w.workflow_id
            AND r.status IN ('CREATED', 'IN_PROGRESS', 'PAUSED') AND r.execution_id IS NOT NULL
          LIMIT greatest(w.run_concurrency, 1)) AS launched) AS running,
        EXISTS (SELECT 1 FROM run r WHERE r.workflow_id = w.workflow_id
          AND r.status = 'CREATED' AND r.execution_id IS NULL) AS waits,
        w.run_rule = 'STRICT_SEQUENTIAL'
          AND EXISTS (SELECT 1 FROM run r WHERE r.workflow_id = w.workflow_id AND r.status = 'FAILED') AS failed
      INTO place FROM workflow w WHERE w.workflow_id = workflow_ids[i];
      running := place.running;
      waits := place.waits;
      failed := place.failed;
      latest := place.latest_instance_id;
      waiting := '{}';
      going := '{}';
    END IF;
    SELECT r.instance_id, r.run_id, r.version_id, r.key, r.group_id, r.start_id, r.status, r.execution_id
      INTO known FROM run r WHERE r.workflow_id = workflow_ids[i] AND r.uuid = uuids[i];

    IF place.internal_id IS DISTINCT FROM internal_ids[i] THEN
      result := 'CHANGED';
    ELSIF known.key IS NOT NULL THEN
      instance_ids[i] := known.instance_id;
      run_ids[i] := known.run_id;
      made_versions[i] := known.version_id;
      keys[i] := known.key;
      group_ids[i] := known.group_id;
      -- Made by this very request, whose commit was not heard of? What has moved on since then is not launched again.
      result := CASE
        WHEN known.start_id <> start_ids[i] THEN 'DUPLICATED'
        WHEN known.status IN ('STOPPED', 'FAILED') AND known.execution_id IS NULL THEN known.status
        WHEN known.status = 'CREATED' AND known.execution_id IS NOT NULL THEN 'LAUNCHED'
        ELSE 'QUEUED' END;
    ELSIF place.revision <> revisions[i] THEN
      result := 'CHANGED';
    ELSE
      IF statuses[i] = 'FAILED' THEN
        result := 'FAILED';
        failed := true;
      ELSIF place.run_rule = 'FIRST_ONLY' THEN
        result := 'LAUNCHED';
        IF running > 0 OR waits THEN
          result := 'STOPPED';
          starts[i] := now_ms;
          events[i] := stopped_event(place.run_rule, now_ms);
        END IF;
      ELSE
        IF waits AND place.run_rule IN ('LAST_ONLY', 'SERIAL_LATEST_ONLY') THEN
          result := 'STOPS';
          FOR instance_id, run_id, version_id, key, group_id IN
            UPDATE run r SET status = 'STOPPED', end_time = now_ms, modify_time = now_ms,
              start_time = CASE WHEN place.run_rule = 'LAST_ONLY' THEN now_ms END,
              timeline = with_event(r.timeline, stopped_event(place.run_rule, now_ms))
            WHERE r.workflow_id = workflow_ids[i] AND r.status = 'CREATED' AND r.execution_id IS NULL
            RETURNING r.instance_id, r.run_id, r.version_id, r.key, r.group_id
          LOOP
            RETURN NEXT;
          END LOOP;
          FOR j IN 1..cardinality(waiting) LOOP
            results[waiting[j]] := 'STOPPED';
            starts[waiting[j]] := CASE WHEN place.run_rule = 'LAST_ONLY' THEN now_ms END;
            events[waiting[j]] := stopped_event(place.run_rule, now_ms);
          END LOOP;
          waiting := '{}';
          waits := false;
        END IF;
        IF running > 0 AND place.run_rule = 'LAST_ONLY' THEN
          result := 'ASKS';
          FOR key, group_id IN
            INSERT INTO run_word AS a (run_key, group_id, kind, "user", reason, create_time)
            SELECT asked.key, asked.group_id, 'STOP', '"maestro_run_strategy"',
              'The run strategy LAST_ONLY makes way for a newer run.', now_ms
            FROM (
              SELECT r.key, r.group_id FROM run r WHERE r.workflow_id = workflow_ids[i]
                AND r.status IN ('CREATED', 'IN_PROGRESS', 'PAUSED') AND r.execution_id IS NOT NULL
              UNION ALL SELECT keys[j], group_ids[j] FROM unnest(going) AS j
            ) AS asked (key, group_id)
            WHERE NOT EXISTS (SELECT 1 FROM run_word w WHERE w.run_key = asked.key)
            ON CONFLICT DO NOTHING
            RETURNING a.run_key, a.group_id
          LOOP
            RETURN NEXT;
          END LOOP;
        END IF;
        result := CASE
          WHEN running >= place.run_concurrency OR waits OR place.run_rule = 'STRICT_SEQUENTIAL' AND failed THEN 'QUEUED'
          ELSE 'LAUNCHED' END;
      END IF;
      latest := latest + 1;
      fresh := fresh || i;
      instance_ids[i] := latest;
      run_ids[i] := 1;
      made_versions[i] := version_ids[i];
      keys[i] := nextval('run_key_seq');
      group_ids[i] := run_group(seeds[i], latest, 1, group_infos[i]);
      IF result = 'LAUNCHED' THEN
        running := running + 1;
        going := going || i;
      ELSIF result = 'QUEUED' THEN
        waits := true;
        waiting := waiting || i;
      END IF;
    END IF;
    results[i] := result;

    IF latest > place.latest_instance_id AND workflow_id IS DISTINCT FROM workflow_ids[i + 1] THEN
      UPDATE workflow w SET latest_instance_id = latest WHERE w.workflow_id = workflow_ids[i];
    END IF;
  END LOOP;

  INSERT INTO run (workflow_id, instance_id, run_id, key, uuid, start_id, internal_id, version_id, group_id, group_info,
    correlation_id, initiator, config, run_params, properties, params, timeout_ms, status, execution_id, request_time,
    create_time, start_time, end_time, modify_time, artifacts, timeline)
  SELECT workflow_ids[i], instance_ids[i], run_ids[i], keys[i], uuids[i], start_ids[i], internal_ids[i], made_versions[i],
    group_ids[i], group_infos[i], correlation_ids[i], initiators[i], configs[i], run_param_sets[i], property_sets[i],
    param_sets[i], timeouts[i], CASE WHEN results[i] IN ('STOPPED', 'FAILED') THEN results[i] ELSE 'CREATED' END,
    CASE WHEN results[i] = 'LAUNCHED' THEN uuids[i] END, request_times[i], now_ms, starts[i],
    CASE WHEN results[i] IN ('STOPPED', 'FAILED') THEN now_ms END, now_ms, artifact_sets[i],
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
    RETURN NEXT;
  END LOOP;
END $$;
