/** Every answer is counted, whoever gives it. */
import { metrics } from "../metric.ts";

const answers = metrics.counter("maestro_http_responses_total", "Answers, by status.");

export function counted(response: Response): Response {
  answers.add(1, { status: response.status });
  return response;
}
