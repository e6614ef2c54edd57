/** Shapes that many answers share. */
import { z } from "zod";
import { ERROR_CODES } from "../../error.ts";

export const millis = z.int().meta({ description: "Epoch milliseconds" });

export const errorSchema = z
  .strictObject({
    status: z.enum(ERROR_CODES),
    message: z.string(),
    errors: z.array(z.string()).optional().meta({ description: "One entry per finding, each with its place" }),
    retryable: z.boolean().optional().meta({ description: "true: the same request may succeed later" }),
  })
  .meta({ id: "Error" });

export const problemSchema = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
  })
  .meta({ id: "Problem", description: "Problem details (RFC 9457), for requests that fit no endpoint" });

const pageInfoSchema = z
  .strictObject({
    start_cursor: z.string().nullable(),
    end_cursor: z.string().nullable(),
    has_previous_page: z.boolean(),
    has_next_page: z.boolean(),
    start_index: z.int().nullable().meta({ description: "Position of the first element, from 1" }),
  })
  .meta({ id: "PageInfo" });

/** @param id name of the schema */
export const pageSchema = (id: string, element: z.ZodType) =>
  z.strictObject({ page_info: pageInfoSchema, total_count: z.int(), elements: z.array(element) }).meta({ id });

/** A list that goes on at `next_cursor`. */
export const listSchema = (id: string, element: z.ZodType) =>
  z
    .strictObject({
      elements: z.array(element),
      next_cursor: z.string().optional().meta({ description: "Absent on the last page" }),
    })
    .meta({ id });
