// What an image is made of, and what its build may do.
import { isAbsolute, resolve } from 'node:path'
import type { JudgedKey } from './keys.ts'
import type { ComposeService } from './model.ts'
import type { ServiceCase, ServiceRule } from './rule.ts'

type Build = NonNullable<ComposeService['build']>

/** A rule that has nothing to say about a service without a build. */
const ofBuild =
  (rule: (build: Build, at: ServiceCase) => void): ServiceRule =>
  (at) => {
    if (at.service.build) rule(at.service.build, at)
  }

/** Images and services of the same file, and stages of the same Dockerfile. */
const otherImage = /^(?:docker-image:\/\/|service:|target:)/

function judgeContext(path: string, at: string, { report, judgeBuildSource }: ServiceCase): void {
  if (isAbsolute(path)) judgeBuildSource({ path, at })
  else if (path !== '' && !otherImage.test(path))
    report({
      code: 'unreviewed_source',
      at,
      subject: path,
      detail: `is built from ${path}, which is not part of the reviewed commit`,
    })
}

const hostAccess = (
  { report }: ServiceCase,
  {
    at,
    subject,
    detail,
  }: { readonly at: string; readonly subject: string; readonly detail: string },
): void => report({ code: 'build_host_access', at: `build/${at}`, subject, detail })

const ownBuildNetwork: ReadonlySet<string> = new Set(['', 'default', 'none', 'bridge'])

/** `type=registry,ref=…` and a bare image name; every other type reads or writes something of this host. */
const cacheType = (entry: string): string =>
  entry
    .split(',')
    .map((part) => part.trim())
    .find((part) => part.startsWith('type='))
    ?.slice('type='.length) ?? 'registry'

const cacheRule = (key: 'cache_from' | 'cache_to', allowed: string): ServiceRule =>
  ofBuild((build, at) => {
    for (const [i, entry] of build[key].entries())
      if (cacheType(entry) !== allowed)
        hostAccess(at, {
          at: `${key}/${i}`,
          subject: entry,
          detail: `is built with the cache ${entry}, which is outside of the build (${key})`,
        })
  })

export const buildRules: Record<JudgedKey<'build'>, ServiceRule> = {
  context: ofBuild(({ context }, at) => judgeContext(context, 'build/context', at)),
  dockerfile: ofBuild(({ context, dockerfile }, { judgeBuildSource }) => {
    if (dockerfile === '' || !isAbsolute(context)) return
    judgeBuildSource({ path: resolve(context, dockerfile), at: 'build/dockerfile' })
  }),
  additional_contexts: ofBuild(({ additional_contexts }, at) => {
    for (const [name, path] of Object.entries(additional_contexts))
      judgeContext(path, `build/additional_contexts/${name}`, at)
  }),
  tags: ofBuild(({ tags }, at) => {
    for (const [i, tag] of tags.entries())
      hostAccess(at, {
        at: `tags/${i}`,
        subject: tag,
        detail: `gives its image the further name ${tag}, which another image of this host may have`,
      })
  }),
  secrets: ofBuild(({ secrets }, { model, judgeSource }) => {
    for (const [i, { source }] of secrets.entries()) {
      const path = model.secrets[source]?.file ?? ''
      if (path !== '') judgeSource({ path, readOnly: true, at: `build/secrets/${i}` })
    }
  }),
  cache_from: cacheRule('cache_from', 'registry'),
  cache_to: cacheRule('cache_to', 'inline'),
  network: ofBuild(({ network }, at) => {
    if (!ownBuildNetwork.has(network))
      hostAccess(at, {
        at: 'network',
        subject: `network:${network}`,
        detail:
          network === 'host'
            ? 'is built in the network of the host'
            : `is built in the network ${network}`,
      })
  }),
  extra_hosts: ofBuild(({ extra_hosts }, at) => {
    for (const [name, address] of extra_hosts)
      hostAccess(at, {
        at: `extra_hosts/${name}`,
        subject: `${name}=${address}`,
        detail: `is built with ${address} in place of the address of ${name}`,
      })
  }),
  entitlements: ofBuild(({ entitlements }, at) => {
    for (const [i, name] of entitlements.entries())
      hostAccess(at, { at: `entitlements/${i}`, subject: name, detail: `is built with ${name}` })
  }),
}
