export * from "./breakpoint.ts";
export * from "./lease.ts";
export * from "./outbox.ts";
export * from "./permit.ts";
export * from "./run.ts";
export * from "./template.ts";
export * from "./workflow.ts";
