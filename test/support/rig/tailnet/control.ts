import type { ChildProcess } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { until } from '../patience.ts'
import { makeAuthority, type Authority } from './authority.ts'
import type { Namespace } from './namespace.ts'

/** End of all names of the tailnet. */
export const domain = 'hq.test'
/** Whom the nodes belong to. The last one has no e-mail address, as a login without one. */
export const people = {
  owner: 'owner@hq.test',
  operator: 'operator@hq.test',
  stranger: 'stranger@hq.test',
  visitor: null,
} as const
export type Person = keyof typeof people

/** The control server of a tailnet: headscale with a certificate of our own authority, and its relay (DERP). */
export interface Control {
  readonly url: string
  /** It signed its certificate. */
  readonly authority: Authority
  start(): Promise<void>
  /** It and its relay are away. */
  stop(): Promise<void>
  /** Makes its relay slow, by letting it work for a moment only, now and then. */
  slowRelay(slow: boolean): void
  /** A key with which nodes of a person may join: more than once, as a join may be tried again. */
  key(person: Person): Promise<string>
  /** Who may reach what, as the rules of headscale. Known to all nodes a moment later. */
  allow(rules: readonly AccessRule[]): Promise<void>
  /** Ends the key of a node, as its expiry would. @param node name that it joined with */
  expire(node: string): Promise<void>
  /** Makes a node one of a tag: it is nobody's then. */
  tag(node: string, tag: string): Promise<void>
}
export interface AccessRule {
  readonly action: 'accept'
  readonly src: readonly string[]
  readonly dst: readonly string[]
}

const port = 8443
/** Of a relay that is slow, milliseconds. */
const [stoppedMs, workingMs] = [120, 60]
const listed = z.array(z.looseObject({ id: z.coerce.string(), name: z.string() }))
const listedNodes = z.array(z.looseObject({ id: z.coerce.string(), given_name: z.string() }))
const madeKey = z.looseObject({ key: z.string() })

/** Settings of headscale, as JSON, which is YAML too. */
const settings = (dir: string, address: string): object => ({
  server_url: `https://${address}:${port}`,
  listen_addr: `0.0.0.0:${port}`,
  metrics_listen_addr: '127.0.0.1:9090',
  grpc_listen_addr: '127.0.0.1:50443',
  grpc_allow_insecure: false,
  noise: { private_key_path: join(dir, 'noise.key') },
  prefixes: { v4: '100.64.0.0/10', v6: 'fd7a:115c:a1e0::/48', allocation: 'sequential' },
  derp: {
    server: {
      enabled: true,
      region_id: 999,
      region_code: 'rig',
      region_name: 'rig',
      verify_clients: true,
      stun_listen_addr: '0.0.0.0:3478',
      private_key_path: join(dir, 'derp.key'),
      automatically_add_embedded_derp_region: true,
      ipv4: address,
    },
    urls: [],
    paths: [],
    auto_update_enabled: false,
  },
  disable_check_updates: true,
  database: { type: 'sqlite', sqlite: { path: join(dir, 'db.sqlite') } },
  log: { level: 'info', format: 'text' },
  policy: { mode: 'file', path: join(dir, 'policy.json') },
  dns: {
    magic_dns: true,
    base_domain: domain,
    override_local_dns: false,
    nameservers: { global: [], split: {} },
    search_domains: [],
    extra_records: [],
  },
  unix_socket: join(dir, 'headscale.sock'),
  unix_socket_permission: '0700',
  logtail: { enabled: false },
})

/** @param address its own, by which the nodes find it and its relay */
export async function startControl(
  node: Namespace,
  address: string,
  rules: readonly AccessRule[],
): Promise<Control> {
  const { dir } = node
  const config = join(dir, 'config.yaml')
  const headscale = async (...args: string[]): Promise<string> =>
    await node.must(['headscale', '-c', config, ...args])
  const askedFor = async <T>(schema: z.ZodType<T>, ...args: string[]): Promise<T> =>
    schema.parse(JSON.parse(await headscale(...args, '-o', 'json')))
  const idOf = async (name: string): Promise<string> => {
    const nodes = await askedFor(listedNodes, 'nodes', 'list')
    const found = nodes.find(({ given_name }) => given_name === name)
    if (!found) throw new Error(`the control server knows no node ${name}`)
    return found.id
  }
  const writePolicy = (to: readonly AccessRule[]): void => {
    const policy = { tagOwners: { 'tag:ci': [people.owner] }, acls: to }
    writeFileSync(join(dir, 'policy.json'), JSON.stringify(policy))
  }
  let server: ChildProcess | null = null
  let beat: NodeJS.Timeout | null = null

  const authority = await makeAuthority(dir)
  const { cert, key } = await authority.issue('control', `IP:${address}`)
  const tls = { tls_cert_path: cert, tls_key_path: key }
  writeFileSync(config, JSON.stringify({ ...settings(dir, address), ...tls }))
  writePolicy(rules)
  const control: Control = {
    url: `https://${address}:${port}`,
    authority,
    start: async () => {
      const started = node.start(['headscale', '-c', config, 'serve'], 'headscale')
      server = started
      await until('the control server to answer', async () => {
        if (started.exitCode !== null)
          throw new Error(
            `headscale ended: ${readFileSync(join(dir, 'headscale.log'), 'utf8').slice(-3000)}`,
          )
        return (await node.exec(['headscale', '-c', config, 'health'])).code === 0
      })
    },
    stop: async () => {
      const stopped = server
      stopped?.kill('SIGKILL')
      await until('the control server to end', () => stopped?.signalCode !== null)
    },
    slowRelay: (slow) => {
      if (beat !== null) clearInterval(beat)
      beat = null
      server?.kill('SIGCONT')
      if (!slow) return
      beat = setInterval(() => {
        server?.kill('SIGSTOP')
        setTimeout(() => server?.kill('SIGCONT'), stoppedMs)
      }, stoppedMs + workingMs)
    },
    key: async (person) => {
      const users = await askedFor(listed, 'users', 'list')
      const id = users.find(({ name }) => name === person)?.id ?? ''
      return (await askedFor(madeKey, 'preauthkeys', 'create', '--reusable', '-u', id)).key
    },
    allow: (to) => {
      writePolicy(to)
      server?.kill('SIGHUP')
      return Promise.resolve()
    },
    expire: async (name) => {
      await headscale('nodes', 'expire', '-i', await idOf(name))
    },
    tag: async (name, tag) => {
      await headscale('nodes', 'tag', '-i', await idOf(name), '-t', tag)
    },
  }
  await control.start()
  for (const [name, email] of Object.entries(people))
    await headscale('users', 'create', name, ...(email === null ? [] : ['--email', email]))
  return control
}
