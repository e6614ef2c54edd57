/** The HTTP application: every route, and what becomes of requests that fit none or fail. */
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { systemClock } from "../clock.ts";
import { metrics } from "../metric.ts";
import { Outage } from "../store/outage.ts";
import { counted } from "./answer.ts";
import { GivenUp } from "./deadline.ts";
import { Router } from "./endpoint.ts";
import { CLIENT_LEFT, errorResponse, hasLeft, isOurs } from "./error.ts";
import { type OpenApiDocument, openApiDocument } from "./openapi.ts";
import { Reader } from "./reader.ts";
import { Readiness } from "./readiness.ts";
import { actionRoutes } from "./route/action.ts";
import { breakpointRoutes } from "./route/breakpoint.ts";
import { bypassRoutes } from "./route/bypass.ts";
import { endingRoutes } from "./route/ending.ts";
import { flattenRoutes } from "./route/flatten.ts";
import { inlineRoutes } from "./route/inline.ts";
import { letterRoutes } from "./route/letter.ts";
import { logRoutes } from "./route/log.ts";
import { outputRoutes } from "./route/output.ts";
import { permitRoutes } from "./route/permit.ts";
import { propertyRoutes } from "./route/property.ts";
import { restartRoutes } from "./route/restart.ts";
import { runRoutes } from "./route/run.ts";
import { startRoutes } from "./route/start.ts";
import { stepRoutes } from "./route/step.ts";
import { systemRoutes } from "./route/system.ts";
import { templateRoutes } from "./route/template.ts";
import { workflowRoutes } from "./route/workflow.ts";
import type { AppOptions, Services } from "./service.ts";

/** Requests that the database may leave unanswered: what each holds in memory is small, and this bounds it. */
const MOST_GIVEN_UP = 1_000;

/** @returns the application; `fetch` takes the `Connections` of the server as its second argument, so that long answers may be long */
export function createApp({ db, engine, config, log, clock = systemClock }: AppOptions): OpenAPIHono {
  const app = new OpenAPIHono();
  const outage = new Outage(log);
  const services: Services = {
    ...{ sql: db.sql, engine, config, log, clock, outage },
    reader: new Reader(db.sql),
    givenUp: new GivenUp(MOST_GIVEN_UP),
    readiness: new Readiness(db.sql, outage),
  };
  metrics.gauge(
    "maestro_http_given_up",
    "Requests that the database has still to answer, given up.",
    () => services.givenUp.count,
  );
  const failed = (error: unknown, { req }: Context): Response => {
    if (hasLeft(error, req.raw)) return new Response(null, { status: CLIENT_LEFT });
    if (isOurs(error)) log.error("a request failed", { method: req.method, path: req.path, error });
    return errorResponse(error, req.path);
  };
  const router = new Router(app, services, failed);
  workflowRoutes(router);
  propertyRoutes(router);
  startRoutes(router);
  actionRoutes(router);
  runRoutes(router);
  inlineRoutes(router);
  flattenRoutes(router);
  stepRoutes(router);
  endingRoutes(router);
  bypassRoutes(router);
  restartRoutes(router);
  outputRoutes(router);
  breakpointRoutes(router);
  permitRoutes(router);
  templateRoutes(router);
  logRoutes(router);
  letterRoutes(router);
  let document: OpenApiDocument | undefined;
  systemRoutes(router, () => (document ??= openApiDocument(router.endpoints, config.version)));

  router.mount();

  app.get("/", (context) => counted(context.redirect("/docs")));
  app.onError((error, context) => counted(failed(error, context)));
  app.notFound(({ req }) => counted(errorResponse(router.refuse(req.method, req.path), req.path)));
  return app;
}
