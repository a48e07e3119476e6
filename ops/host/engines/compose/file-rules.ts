// What a service reads and writes of the host: mounts, secrets, configs, files of its environment.
import type { JudgedKey } from './keys.ts'
import type { ServiceCase, ServiceRule } from './rule.ts'

const privateMounts: ReadonlySet<string> = new Set(['', 'private', 'rprivate'])

function judgeMounts({ service: { volumes }, report, judgeSource }: ServiceCase): void {
  for (const [i, { type, source, read_only, bind }] of volumes.entries()) {
    const at = `volumes/${i}`
    if (type === 'bind') {
      // `recursive: writable` leaves what is mounted below the folder writable.
      const readOnly = read_only === true && bind?.recursive !== 'writable'
      judgeSource({ path: source, readOnly, at })
      const propagation = bind?.propagation ?? ''
      if (!privateMounts.has(propagation))
        report({
          code: 'host_mount',
          at: `${at}/bind/propagation`,
          subject: `propagation:${propagation}`,
          detail: `exchanges mounts with the host through ${source} (${propagation})`,
        })
    } else if (type === 'npipe') {
      report({
        code: 'docker_socket',
        at,
        subject: source,
        detail: `mounts the pipe ${source}`,
      })
    } else if (!['volume', 'tmpfs', 'image'].includes(type)) {
      report({
        code: 'unknown_setting',
        at: `${at}/type`,
        subject: `volumes/type:${type}`,
        detail: `has a mount of the type ${type}, which this version of HQ does not know and so cannot judge`,
      })
    }
  }
}

function judgeVolumesFrom({ service: { volumes_from }, report }: ServiceCase): void {
  for (const [i, from] of volumes_from.entries())
    if (from.startsWith('container:'))
      report({
        code: 'host_mount',
        at: `volumes_from/${i}`,
        subject: from,
        detail: 'takes the volumes of a container outside this file',
      })
}

/** Mounts by another name: Compose reads the file with the rights of its caller. */
const referenceRule =
  (section: 'secrets' | 'configs'): ServiceRule =>
  ({ service, model, judgeSource }) => {
    for (const [i, { source }] of service[section].entries()) {
      const path = model[section][source]?.file ?? ''
      if (path !== '') judgeSource({ path, readOnly: true, at: `${section}/${i}` })
    }
  }

const fileListRule =
  (key: 'env_file' | 'label_file'): ServiceRule =>
  ({ service, judgeSource }) => {
    for (const [i, path] of service[key].entries())
      judgeSource({ path, readOnly: true, at: `${key}/${i}` })
  }

export const fileRules = {
  volumes: judgeMounts,
  volumes_from: judgeVolumesFrom,
  secrets: referenceRule('secrets'),
  configs: referenceRule('configs'),
  env_file: fileListRule('env_file'),
  label_file: fileListRule('label_file'),
} satisfies Partial<Record<JudgedKey<'service'>, ServiceRule>>
