/** The configuration files of HQ; `docs/reference/configuration.md` is generated from these schemas. */
export * from './config/project.ts'
export * from './config/host.ts'
export * from './config/trust.ts'
export * from './config/enrolled-host.ts'
export * from './config/operator.ts'
export * from './config/enrolment.ts'
export type { RetentionSettings } from './config/parts.ts'
