/** A user of the machine, as the kernel knows it. */
export interface Account {
  readonly uid: number
  readonly gid: number
}

/** Account that hostd and the timers run as: no capabilities, no docker group, no sudo. */
export const hostdUser = 'openclaw-hostd'
/** Account that git and npm run as in a deploy. */
export const buildUser = 'openclaw-build'
