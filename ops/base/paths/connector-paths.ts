import { join } from 'node:path'
import type { HostPaths } from './paths.ts'

/** Secrets that more than root and hostd have a use for: connector secrets lie in a folder below it. */
export const secretsFolder = ({ etc }: Pick<HostPaths, 'etc'>): string => join(etc, 'secrets')

/** The secrets of the connectors. */
export const connectorSecrets = (paths: Pick<HostPaths, 'etc'>): string =>
  join(secretsFolder(paths), 'soma_kajabi')

/**
 * Account of the containers, user and group: it owns the secrets, and the connectors are probed by it on a host.
 */
export const connectorAccount = 1000
