/** Numbers and ids as HQ writes them; the state of HQ (`shared/state/`) writes them the same way. */
export * from '#shared/format'
export { shortCommit, timeOfRun as startOfRun } from '#shared/ids'
