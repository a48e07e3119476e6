import { until as poll } from '../hostd.ts'

/**
 * Longest wait for what is bound to come, in seconds. No test waits that long for anything that comes: only a machine
 * on which it never will gets there, however much else that machine has to do.
 */
export const patience = 300

/** Polls as `until` of the other tests does, with the patience that a whole machine needs. */
export const until = <T>(
  what: string,
  probe: () => T | Promise<T>,
  seconds: number = patience,
): Promise<NonNullable<T>> => poll(what, probe, seconds)
