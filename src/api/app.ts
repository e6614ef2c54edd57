/** The HTTP application: every route, and what becomes of requests that fit none or fail. */
import { OpenAPIHono } from "@hono/zod-openapi";
import { systemClock } from "../clock.ts";
import { metrics } from "../metric.ts";
import { Router } from "./endpoint.ts";
import { errorResponse, isOurs } from "./error.ts";
import { type OpenApiDocument, openApiDocument } from "./openapi.ts";
import { Reader } from "./reader.ts";
import { actionRoutes } from "./route/action.ts";
import { logRoutes } from "./route/log.ts";
import { propertyRoutes } from "./route/property.ts";
import { runRoutes } from "./route/run.ts";
import { startRoutes } from "./route/start.ts";
import { stepRoutes } from "./route/step.ts";
import { systemRoutes } from "./route/system.ts";
import { workflowRoutes } from "./route/workflow.ts";
import type { AppOptions, Services } from "./service.ts";

const answers = metrics.counter("maestro_http_responses_total", "Answers, by status.");

/**
 * @returns the application; `fetch` takes Bun's server as its second argument, so that long answers outlive the idle
 * timeout
 */
export function createApp({ db, engine, config, log, clock = systemClock }: AppOptions): OpenAPIHono {
  const app = new OpenAPIHono();
  app.use(async (context, next) => {
    await next();
    answers.add(1, { status: context.res.status });
  });
  const services: Services = { sql: db.sql, engine, config, log, clock, reader: new Reader(db.sql) };
  const router = new Router(app, services);
  workflowRoutes(router);
  propertyRoutes(router);
  startRoutes(router);
  actionRoutes(router);
  runRoutes(router);
  stepRoutes(router);
  logRoutes(router);
  let document: OpenApiDocument | undefined;
  systemRoutes(router, () => (document ??= openApiDocument(app, config.version)));

  router.mount();

  app.onError((error, context) => {
    if (isOurs(error)) log.error("a request failed", { method: context.req.method, path: context.req.path, error });
    return errorResponse(error, context.req.path);
  });
  app.notFound((context) => errorResponse(router.refuse(context.req.method, context.req.path), context.req.path));
  return app;
}
