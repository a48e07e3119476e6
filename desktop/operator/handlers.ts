import { envValue } from './base/env.ts'
import type { z } from 'zod'
import type { procedures, ProcedureName, SettingsView, ShipKeyView } from '#shared/bridge'
import { Problem, toProblem } from '#shared/errors'
import { setNextAction } from '#ops/core/config/next-action'
import { commitNextAction } from '#ops/features/ship/index'
import { maxShownBytes } from './base/text-file.ts'
import type { OperatorOptions } from './options.ts'
import { workTreeRoot } from './ships/repository.ts'
import { setHost, setReview, settingsView } from './settings/settings.ts'
import { laptopLabel } from './settings/ship-key-store.ts'
import { readShipFile } from './ships/folder.ts'
import type { Workspace } from './workspace.ts'

/** One function per procedure of shared/bridge.ts: input already checked, output checked by the dispatcher. */
export type Handlers = {
  readonly [P in ProcedureName]: (
    input: z.output<(typeof procedures)[P]['input']>,
  ) => Promise<z.input<(typeof procedures)[P]['output']>>
}

export function handlersOf(
  {
    settings,
    connection,
    ships,
    cancels,
    mustRepository,
    overview,
    witness,
    proofs,
    keeper,
  }: Workspace,
  { mode, version, env, keystore, log }: OperatorOptions,
): Handlers {
  const host = connection.client
  const view = (): Promise<SettingsView> => settingsView(settings.read(), keystore, env)
  /** Does the host believe this laptop's key? null without a host. */
  const enrolmentOn = async (
    name: string | null,
    id: string | null,
  ): Promise<ShipKeyView['host']> => {
    if (name === null) return null
    try {
      const { ship_keys } = await host.trust({ limitMs: 5000 })
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
  /** Makes the Overview show what just changed on the host at once, not at the next turn. */
  const look = (): void => {
    connection.refresh().catch((error: unknown) => log(String(error)))
  }
  return {
    'app.info': async () => ({
      mode,
      version,
      platform: process.platform,
      operator: true,
      demo: envValue('OPENCLAW_HQ_DEMO', env) === '1',
    }),
    'overview.get': overview,

    'ship.start': () => ships.start(mustRepository(), settings.read().until_green.repairs),
    'ship.cancel': async ({ run_id }) => {
      await cancels.ask('ship', run_id, () => ships.cancel(mustRepository(), run_id))
      return { ok: true }
    },
    'ship.list': async () => ({ ships: await ships.list(mustRepository()) }),
    'ship.get': ({ run_id }) => ships.detail(mustRepository(), run_id),
    'ship.file': async ({ run_id, path }) => readShipFile(mustRepository(), run_id, path),

    'host.exec': async ({ action, params }) => {
      const started = await host.exec(action, params)
      look()
      return started
    },
    'host.runs': (query) => host.runs(query),
    'host.run': async ({ run_id }) => ({ ok: true, run: await host.run(run_id) }),
    'host.cancel': async ({ run_id }) => {
      await cancels.ask('host', run_id, async () => {
        try {
          await host.cancel(run_id)
        } catch (error) {
          if (toProblem(error).errorClass !== 'not_running') throw error
          await connection.refresh()
          throw error
        }
        // It is remembered until the Overview has seen the end.
        await connection.refresh()
      })
      return { ok: true }
    },
    'host.artifacts': ({ path }) => host.listArtifacts(path),
    'host.artifact': ({ path }) => host.readArtifact(path, maxShownBytes),

    'proofs.list': proofs,
    'proofs.look': async () => {
      await witness.look(true)
      return { ok: true }
    },
    'proofs.acknowledge': async ({ id, reason, saw }) => {
      await witness.acknowledge(id, reason, saw)
      return { ok: true }
    },

    'next.set': async ({ text, commit }) => {
      if (commit === true) await commitNextAction(mustRepository(), text)
      else setNextAction(mustRepository(), text)
      return { ok: true }
    },

    'ship_key.get': async () => ({
      ...keeper.view(),
      host: await enrolmentOn(settings.read().host?.name ?? null, keeper.view().key?.id ?? null),
    }),
    'ship_key.move': async ({ to }) => {
      await keeper.move(to)
      return { ok: true }
    },
    'ship_key.enrol': async ({ id }) => {
      await connection.target() // without a host no key is made
      const key = await keeper.key()
      // What was shown and confirmed is what is enrolled.
      if (id !== null && key.id !== id)
        throw new Problem(
          'invalid_request',
          `The ship key of this laptop is ${key.id} now, not ${id}. Nothing was enrolled.`,
        )
      const started = await host.exec('trust_ship_key', {
        public_key: key.publicKey,
        label: laptopLabel(),
      })
      look()
      return started
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
