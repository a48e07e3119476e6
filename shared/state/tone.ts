/** The states HQ draws: each has its own shape, word and colour. */
export type Tone = 'pass' | 'fail' | 'blocked' | 'running' | 'warn' | 'skip' | 'wait' | 'you'
