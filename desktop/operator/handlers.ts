import type { z } from 'zod'
import type { procedures, ProcedureName, SettingsView } from '#shared/bridge'
import { setNextAction } from '#ops/next-action'
import { cancelRun, execOnHost, listArtifacts, listRuns, readArtifact, readRun } from './host-actions.ts'
import type { OperatorOptions } from './operator.ts'
import { workTreeRoot } from './repository.ts'
import { setHost, setReview, settingsView } from './settings.ts'
import { readShipFile } from './ship-folder.ts'
import type { Workspace } from './workspace.ts'

/** One function per procedure of shared/bridge.ts: input already checked, output checked by the dispatcher. */
export type Handlers = { readonly [P in ProcedureName]: (input: z.output<(typeof procedures)[P]['input']>) => Promise<z.input<(typeof procedures)[P]['output']>> }

export function handlersOf({ settings, connection, ships, mustRepository, overview, witness, proofs }: Workspace, { mode, version, env, keystore, log }: OperatorOptions): Handlers {
  const host = connection.target
  const view = (): Promise<SettingsView> => settingsView(settings.read(), keystore, env)
  /** Makes the Overview show what just changed on the host at once, not at the next turn. */
  const look = (): void => { connection.refresh().catch((error: unknown) => log(String(error))) }
  return {
    'app.info': async () => ({ mode, version, platform: process.platform, operator: true, demo: env['OPENCLAW_HQ_DEMO'] === '1' }),
    'overview.get': overview,

    'ship.start': () => ships.start(mustRepository()),
    'ship.cancel': async ({ run_id }) => {
      await ships.cancel(mustRepository(), run_id)
      return { ok: true }
    },
    'ship.list': async () => ({ ships: await ships.list(mustRepository()) }),
    'ship.get': ({ run_id }) => ships.detail(mustRepository(), run_id),
    'ship.file': async ({ run_id, path }) => readShipFile(mustRepository(), run_id, path),

    'host.exec': async (input) => {
      const started = await execOnHost(await host(), input)
      look()
      return started
    },
    'host.runs': async (query) => listRuns(await host(), query),
    'host.run': async ({ run_id }) => readRun(await host(), run_id),
    'host.cancel': async ({ run_id }) => {
      await cancelRun(await host(), run_id)
      look()
      return { ok: true }
    },
    'host.artifacts': async ({ path }) => listArtifacts(await host(), path),
    'host.artifact': async ({ path }) => readArtifact(await host(), path),

    'proofs.list': proofs,
    'proofs.look': async () => {
      await witness.look(true)
      return { ok: true }
    },
    'proofs.acknowledge': async ({ id, reason }) => {
      await witness.acknowledge(id, reason)
      return { ok: true }
    },

    'next.set': async ({ text }) => {
      setNextAction(mustRepository(), text)
      return { ok: true }
    },

    'settings.get': view,
    'settings.set_host': async (input) => {
      await setHost(settings, keystore, input)
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
    'settings.set_review': async (input) => {
      setReview(settings, input)
      return view()
    },
  }
}
