// What a rule of the judge gets, and how it reports.
import type { Exposure, ExposureCode } from '#ops/platform/net/exposure'
import type { ComposeModel, ComposeService } from './model.ts'

/** A finding about one service or entry; `at` is the path below it. */
export interface Finding extends Pick<Exposure, 'subject' | 'detail' | 'port'> {
  readonly code: ExposureCode
  readonly at: string
}
export type Report = (finding: Finding) => void

/** A path of the host that a service reads or writes. */
export interface Source {
  readonly path: string
  readonly readOnly: boolean
  readonly at: string
}

export interface ServiceCase {
  readonly service: ComposeService
  readonly model: ComposeModel
  readonly report: Report
  /** Reports a path of the host that no container may have. */
  readonly judgeSource: (source: Source) => void
  /** Reports a folder or file that an image is made of and that is not part of the version. */
  readonly judgeBuildSource: (source: Omit<Source, 'readOnly'>) => void
}
/** Rules of one section: key to rule. A rule ignores what is not set. */
export type ServiceRule = (at: ServiceCase) => void

/** An entry of `volumes` or `networks`, in the name of one service that uses it. */
export interface EntryCase<T> extends Pick<ServiceCase, 'report' | 'judgeSource'> {
  readonly name: string
  readonly entry: T
  /** Does this service only read it? */
  readonly readOnly: boolean
}
export type EntryRule<T> = (at: EntryCase<T>) => void
