-- The group of a run, as `groupOf` in src/id.ts has it. `seed` is the unsigned hash of "[<workflow>][".
CREATE FUNCTION "run_group"("seed" bigint, "instance" bigint, "run" bigint, "info" integer) RETURNS integer
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  rest text := instance || '][' || run || ']';
  hash bigint := seed;
BEGIN
  IF info <= 0 THEN
    RETURN 0;
  END IF;
  FOR i IN 1..length(rest) LOOP
    hash := (hash * 31 + ascii(substr(rest, i, 1))) & 4294967295;
  END LOOP;
  IF hash >= 2147483648 THEN
    hash := hash - 4294967296;
  END IF;
  RETURN ((hash % info) + info) % info;
END $$;--> statement-breakpoint
-- A run's timeline with one more event; what is stored keeps its digits.
CREATE FUNCTION "with_event"("timeline" json, "event" json) RETURNS json LANGUAGE sql IMMUTABLE AS $$
  SELECT (CASE WHEN timeline IS NULL THEN '[' || event || ']'
    ELSE left(timeline::text, -1) || ',' || event || ']' END)::json
$$;--> statement-breakpoint
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
-- The arrays have an element for each request; those of one workflow are best side by side. Returns a row for each
-- request, in order: LAUNCHED, QUEUED, STOPPED or FAILED for a new run; DUPLICATED; CHANGED when the workflow is not as
-- `revisions` says any more. Between them: STOPS for a waiting run that was stopped for a newer one, which may be one of
-- this call, and ASKS for a running one that is asked to stop.
CREATE FUNCTION "start_runs"(
  "workflow_ids" text[], "seeds" bigint[], "internal_ids" bigint[], "revisions" bigint[], "start_ids" bigint[],
  "uuids" text[], "version_ids" bigint[], "group_infos" integer[], "correlation_ids" text[], "initiators" json[],
  "configs" json[], "run_param_sets" json[], "property_sets" json[], "param_sets" json[], "timeouts" bigint[],
  "statuses" text[], "request_times" bigint[], "artifact_sets" json[], "timelines" json[]
) RETURNS TABLE (
  "result" text, "workflow" text, "instance" bigint, "number" bigint, "version" bigint, "serial" bigint, "part" integer,
  "moment" bigint
) LANGUAGE plpgsql AS $$
DECLARE
  place record;
  known record;
  latest bigint;
  running bigint;
  waits boolean;
  failed boolean;
  event json;
BEGIN
  -- Locks are taken in one order everywhere: workflow by id, outbox, run.
  PERFORM 1 FROM workflow w WHERE w.workflow_id = ANY(workflow_ids) ORDER BY w.workflow_id FOR UPDATE;
  -- Under the locks, so that create times have the order of the ids.
  moment := (extract(epoch FROM clock_timestamp()) * 1000)::bigint;

  FOR i IN 1..cardinality(workflow_ids) LOOP
    IF workflow IS DISTINCT FROM workflow_ids[i] THEN
      workflow := workflow_ids[i];
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
    END IF;
    SELECT r.instance_id, r.run_id, r.version_id, r.key, r.group_id, r.start_id, r.status, r.execution_id
      INTO known FROM run r WHERE r.workflow_id = workflow_ids[i] AND r.uuid = uuids[i];
    instance := known.instance_id;
    number := known.run_id;
    version := known.version_id;
    serial := known.key;
    part := known.group_id;

    IF place.internal_id IS DISTINCT FROM internal_ids[i] THEN
      result := 'CHANGED';
    ELSIF known.start_id <> start_ids[i] THEN
      result := 'DUPLICATED';
    ELSIF known.start_id = start_ids[i] THEN
      -- Made by this very request, whose commit was not heard of. What has moved on since then is not launched again.
      result := CASE
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
        result := CASE WHEN running > 0 OR waits THEN 'STOPPED' ELSE 'LAUNCHED' END;
      ELSE
        IF waits AND place.run_rule IN ('LAST_ONLY', 'SERIAL_LATEST_ONLY') THEN
          result := 'STOPS';
          event := json_build_object('timestamp', moment, 'type', 'LOG', 'level', 'INFO', 'message',
            'Stopped by the run strategy ' || place.run_rule || ': a newer run of the workflow was started.');
          FOR instance, number, version, serial, part IN
            UPDATE run r SET status = 'STOPPED', end_time = moment, modify_time = moment,
              start_time = CASE WHEN place.run_rule = 'LAST_ONLY' THEN moment END, timeline = with_event(r.timeline, event)
            WHERE r.workflow_id = workflow_ids[i] AND r.status = 'CREATED' AND r.execution_id IS NULL
            RETURNING r.instance_id, r.run_id, r.version_id, r.key, r.group_id
          LOOP
            RETURN NEXT;
          END LOOP;
          waits := false;
        END IF;
        IF running > 0 AND place.run_rule = 'LAST_ONLY' THEN
          result := 'ASKS';
          FOR serial, part IN
            INSERT INTO run_action AS a (run_key, group_id, action, "user", reason, create_time)
            SELECT r.key, r.group_id, 'STOP', '"maestro_run_strategy"',
              'The run strategy LAST_ONLY makes way for a newer run.', moment
            FROM run r WHERE r.workflow_id = workflow_ids[i]
              AND r.status IN ('CREATED', 'IN_PROGRESS', 'PAUSED') AND r.execution_id IS NOT NULL
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
      instance := latest;
      number := 1;
      version := version_ids[i];
      serial := nextval('run_key_seq');
      part := run_group(seeds[i], instance, number, group_infos[i]);
      event := CASE WHEN result = 'STOPPED' THEN json_build_object('timestamp', moment, 'type', 'LOG', 'level', 'INFO',
        'message', 'Stopped by the run strategy FIRST_ONLY: an earlier run of the workflow has not ended.') END;
      INSERT INTO run (workflow_id, instance_id, run_id, key, uuid, start_id, internal_id, version_id, group_id,
        group_info, correlation_id, initiator, config, run_params, properties, params, timeout_ms, status, execution_id,
        request_time, create_time, start_time, end_time, modify_time, artifacts, timeline)
      VALUES (workflow, instance, number, serial, uuids[i], start_ids[i], internal_ids[i], version, part,
        group_infos[i], correlation_ids[i], initiators[i], configs[i], run_param_sets[i], property_sets[i],
        param_sets[i], timeouts[i], CASE WHEN result IN ('STOPPED', 'FAILED') THEN result ELSE 'CREATED' END,
        CASE WHEN result = 'LAUNCHED' THEN uuids[i] END, request_times[i], moment,
        CASE WHEN result = 'STOPPED' THEN moment END, CASE WHEN result IN ('STOPPED', 'FAILED') THEN moment END, moment,
        artifact_sets[i], CASE WHEN event IS NULL THEN timelines[i] ELSE with_event(timelines[i], event) END);
      running := running + (result = 'LAUNCHED')::integer;
      waits := waits OR result = 'QUEUED';
    END IF;
    RETURN NEXT;

    IF latest > place.latest_instance_id AND workflow IS DISTINCT FROM workflow_ids[i + 1] THEN
      UPDATE workflow w SET latest_instance_id = latest WHERE w.workflow_id = workflow_ids[i];
    END IF;
  END LOOP;
END $$;
