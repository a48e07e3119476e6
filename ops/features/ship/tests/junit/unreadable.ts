// Why a report cannot be understood, and where.

/** Becomes `tests_no_report` where the path of the report is known. */
export class Unreadable extends Error {
  /** Line in the report, from 1; null when it is about the whole report. */
  readonly line: number | null

  /** @param why continues "The report FILE:LINE …" */
  constructor(why: string, line: number | null = null) {
    super(why)
    this.name = 'Unreadable'
    this.line = line
  }
}
