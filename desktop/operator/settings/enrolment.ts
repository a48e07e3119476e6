import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Input } from '#shared/bridge'
import { enrolment } from '#shared/config'
import { readJson } from '#ops/base/files/json-file'

/**
 * Takes the host that an installer left in `$OPENCLAW_HQ_HOME/enrolment.json`: it goes to settings and keystore, the
 * file is deleted. When that fails the file stays, and the next start tries again.
 * @throws {Problem} `config_invalid`, naming the field, or what `enrol` throws
 */
export async function takeEnrolment(
  home: string,
  enrol: (host: Input<'hosts.add'>) => Promise<unknown>,
): Promise<void> {
  const path = join(home, 'enrolment.json')
  const found = readJson(path, enrolment, 'config_invalid')
  if (!found) return
  await enrol({ name: found.name, url: found.url, token: found.token })
  rmSync(path)
}
