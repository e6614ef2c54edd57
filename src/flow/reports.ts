/** Jobs' reports on their way to their steps: each is answered once, whatever becomes of the run meanwhile. */

/**
 * `stored`: it has committed, and counts at the attempt's end. `late`: the job has ended, or is to. `foreign`: the
 * attempt is none of the workflow that the report names. `unknown`: nothing of the attempt is under way here.
 */
export type ReportAnswer = (typeof REPORT_ANSWERS)[number];

export const REPORT_ANSWERS = ["stored", "late", "foreign", "unknown"] as const;

interface Report {
  answer(answer: ReportAnswer): void;
  /** The step has it: what is left is the commit. */
  isTaken: boolean;
}

export class Reports {
  readonly #open = new Set<Report>();

  /** @param begin hands the report on */
  open(begin: (report: Report) => void): Promise<ReportAnswer> {
    const { promise, resolve } = Promise.withResolvers<ReportAnswer>();
    const report: Report = {
      isTaken: false,
      answer: (answer) => {
        this.#open.delete(report);
        resolve(answer);
      },
    };
    this.#open.add(report);
    begin(report);
    return promise;
  }

  /** Nobody looks at those any more that no step has. */
  close(): void {
    for (const report of [...this.#open]) if (!report.isTaken) report.answer("unknown");
  }

  /** Nothing commits any more. */
  abandon(): void {
    for (const report of [...this.#open]) report.answer("unknown");
  }
}
