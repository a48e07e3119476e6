import { envValue } from './base/env.ts'
import type { z } from 'zod'
import type { procedures, ProcedureName, SettingsView, ShipKeyView } from '#shared/bridge'
import { Problem, toProblem } from '#shared/errors'
import { setNextAction } from '#ops/core/config/next-action'
import { commitNextAction } from '#ops/features/ship/index'
import type { ActsOnHost } from '#shared/shown-host'
import type { HostPoller } from './host/poller.ts'
import type { OperatorOptions } from './options.ts'
import { exportProof } from './proofs/export.ts'
import { workTreeRoot } from './ships/repository.ts'
import { applyRemedy } from './host/remedies.ts'
import { removeHost, selectHost, setHost } from './settings/hosts.ts'
import { setReview, settingsView } from './settings/settings.ts'
import { laptopLabel } from './settings/ship-key-store.ts'
import type { Workspace } from './workspace.ts'

/**
 * One function per procedure of shared/bridge.ts: input already checked, output checked by the dispatcher. What acts on
 * a host gets the one that the page showed, and goes to it whichever is selected meanwhile.
 */
export type Handlers = {
  readonly [P in ProcedureName]: (
    input: z.output<(typeof procedures)[P]['input']>,
    ...host: P extends ActsOnHost ? [HostPoller] : []
  ) => Promise<z.input<(typeof procedures)[P]['output']>>
}

/** The handlers of one part of HQ; `handlersOf` puts all parts together. */
type Part<Prefix extends string> = {
  readonly [P in ProcedureName as P extends `${Prefix}.${string}` ? P : never]: Handlers[P]
}

export const handlersOf = (workspace: Workspace, options: OperatorOptions): Handlers => ({
  ...appHandlers(workspace, options),
  ...shipHandlers(workspace),
  ...hostHandlers(workspace),
  ...proofHandlers(workspace),
  ...connectorHandlers(workspace),
  ...shipKeyHandlers(workspace),
  ...settingsHandlers(workspace, options),
  ...hostListHandlers(workspace, options),
})

const appHandlers = (
  workspace: Workspace,
  { mode, version, env }: OperatorOptions,
): Part<'app' | 'overview' | 'next'> => ({
  'app.info': async () => ({
    mode,
    version,
    platform: process.platform,
    operator: true,
    demo: envValue('OPENCLAW_HQ_DEMO', env) === '1',
  }),
  'overview.get': () => workspace.overview(),
  'next.set': async ({ text, commit }) => {
    const repository = workspace.mustRepository()
    if (commit === true) await commitNextAction(repository, text)
    else setNextAction(repository, text)
    return { ok: true }
  },
})

const shipHandlers = (workspace: Workspace): Part<'ship'> => {
  const { settings, ships, cancels } = workspace
  return {
    'ship.start': () =>
      ships.start(workspace.mustRepository(), settings.read().until_green.repairs),
    'ship.cancel': async ({ run_id }) => {
      await cancels.request('ship', run_id, () => ships.cancel(workspace.mustRepository(), run_id))
      return { ok: true }
    },
    'ship.list': async () => ({ ships: await ships.list(workspace.mustRepository()) }),
    'ship.get': ({ run_id }) => ships.detail(workspace.mustRepository(), run_id),
  }
}

const hostHandlers = (workspace: Workspace): Part<'host'> => {
  const { connection, cancels } = workspace
  const { client } = connection
  return {
    'host.exec': async ({ action, params }, host) => {
      const started = await host.client.exec(action, params)
      workspace.refresh()
      return started
    },
    'host.runs': (query) => client.runs(query),
    'host.run': async ({ run_id }) => ({ ok: true, run: await client.run(run_id) }),
    'host.cancel': async ({ run_id }, host) => {
      await cancels.request('host', run_id, () => cancelOnHost(host, run_id))
      return { ok: true }
    },
    'host.artifacts': ({ path }) => client.listArtifacts(path),
  }
}

/** Returns when the Overview has seen the end: until then the cancel is remembered. */
async function cancelOnHost(host: HostPoller, runId: string): Promise<void> {
  try {
    await host.client.cancel(runId)
  } catch (error) {
    if (toProblem(error).errorClass === 'not_running') await host.refresh()
    throw error
  }
  await host.refresh()
}

const proofHandlers = ({ proofs, witness, evidence, proofExport }: Workspace): Part<'proofs'> => ({
  'proofs.list': (input) => proofs.page(input.cursor),
  'proofs.evidence': (place) => evidence.list(place),
  'proofs.file': ({ path, ...place }) => evidence.read(place, path),
  'proofs.export': (place) => exportProof(proofExport, place),
  'proofs.check': async () => {
    await witness.check(true)
    return { ok: true }
  },
  'proofs.acknowledge': async ({ id, reason, saw }) => {
    await witness.acknowledge(id, reason, saw)
    return { ok: true }
  },
})

const connectorHandlers = ({ connectors }: Workspace): Part<'connectors'> => ({
  'connectors.get': () => connectors.view(),
  'connectors.connect': async ({ name, mode, fields = {} }, host) => {
    await host.target() // without its token there is nowhere to send the secret to
    return connectors.connect({ name, mode, fields, client: host.client })
  },
  'connectors.cancel': async ({ name }) => {
    await connectors.cancel(name)
    return { ok: true }
  },
  'connectors.show_window': async ({ name }) => {
    await connectors.showWindow(name)
    return { ok: true }
  },
  'connectors.dismiss': async ({ name }) => {
    connectors.dismiss(name)
    return { ok: true }
  },
  'connectors.finalize': ({ name }, host) => host.client.finalizeConnector(name, null),
  'connectors.revoke': ({ name }, host) => host.client.revokeConnector(name),
})

const shipKeyHandlers = (workspace: Workspace): Part<'ship_key'> => {
  const { settings, shipKey } = workspace
  return {
    'ship_key.get': async () => {
      const view = shipKey.view()
      const name = settings.read().host?.name ?? null
      return { ...view, host: await enrolmentOn(workspace, name, view.key?.id ?? null) }
    },
    'ship_key.move': async ({ to }) => {
      await shipKey.move(to)
      return { ok: true }
    },
    'ship_key.enrol': ({ id }, host) => enrolShipKey(workspace, host, id),
  }
}

/** Does the host trust this laptop's key? @param name of the host; null without one */
async function enrolmentOn(
  { connection }: Workspace,
  name: string | null,
  id: string | null,
): Promise<ShipKeyView['host']> {
  if (name === null) return null
  try {
    const { ship_keys } = await connection.client.trust({ limitMs: 5000 })
    const own = ship_keys.find((key) => key.id === id)
    return {
      name,
      enrolled: own !== undefined,
      enrolled_at: own?.enrolled_at ?? null,
      others: ship_keys.filter((key) => key.id !== id),
      detail: null,
    }
  } catch (error) {
    return { name, enrolled: null, others: [], detail: toProblem(error).message }
  }
}

/** @param id of the key that was shown and confirmed; another one is not enrolled */
async function enrolShipKey(
  workspace: Workspace,
  host: HostPoller,
  id: string | null,
): ReturnType<Handlers['ship_key.enrol']> {
  await host.target() // without its token no key is made
  const key = await workspace.shipKey.key()
  if (id !== null && key.id !== id)
    throw new Problem(
      'invalid_request',
      `The ship key of this laptop is ${key.id} now, not ${id}. Nothing was enrolled.`,
    )
  const started = await host.client.exec('trust_ship_key', {
    public_key: key.publicKey,
    label: laptopLabel(),
  })
  workspace.refresh()
  return started
}

const hostListHandlers = (workspace: Workspace, { keystore }: OperatorOptions): Part<'hosts'> => {
  const { hosts, settings, connection, connectors } = workspace
  const done = { ok: true } as const
  return {
    'hosts.list': () => hosts.list(),
    'hosts.discover': () => hosts.discover(),
    'hosts.add': async (host) => {
      await setHost({ store: settings, keystore }, host, 'added')
      connection.all()
      await connection.refresh(new URL(host.url).origin)
      return done
    },
    'hosts.select': async ({ url }) => {
      refuseWhileConnecting(connectors.connecting().length)
      selectHost(settings, url)
      await connection.refresh()
      return done
    },
    'hosts.remove': async ({ url }) => {
      refuseWhileConnecting(connectors.connecting().length)
      await removeHost({ store: settings, keystore }, url)
      connection.all()
      return done
    },
    'hosts.retry': async ({ url }) => {
      await connection.refresh(url)
      return done
    },
    'hosts.agree': async ({ url, node_key, tls_name }) => {
      refuseWhileConnecting(connectors.connecting().length)
      await hosts.agree(url, { node_key, tls_name })
      return done
    },
    'hosts.remedy': async ({ url, kind }) => ({
      said: await applyRemedy(kind, {
        poller: hosts.poller(url),
        openBrowser: workspace.openBrowser,
      }),
    }),
  }
}

/** An attempt that began for one host must not end on another. @throws {Problem} `invalid_request` */
function refuseWhileConnecting(attempts: number): void {
  if (attempts > 0)
    throw new Problem(
      'invalid_request',
      'A connector is being connected to the selected host. Finish or cancel that first. Nothing was changed.',
    )
}

const settingsHandlers = (
  { settings, connection, connectors }: Workspace,
  { env, keystore }: OperatorOptions,
): Part<'settings'> => {
  const view = (): Promise<SettingsView> => settingsView(settings.read(), keystore, env)
  return {
    'settings.get': view,
    'settings.set_host': async (input) => {
      refuseWhileConnecting(connectors.connecting().length)
      await setHost({ store: settings, keystore }, input)
      await connection.refresh()
      return view()
    },
    'settings.set_repository': async ({ path }) => {
      settings.update({ repository: await workTreeRoot(path) })
      return view()
    },
    'settings.set_theme': async ({ theme }) => {
      settings.update({ theme })
      return view()
    },
    'settings.set_until_green': async ({ repairs }) => {
      settings.update({ until_green: { ...settings.read().until_green, repairs } })
      return view()
    },
    'settings.set_review': async (input) => {
      setReview(settings, input)
      return view()
    },
  }
}
