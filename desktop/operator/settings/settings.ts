import type { Environment } from '#ops/base/env'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Input, SettingsView } from '#shared/bridge'
import { operatorSettings, type OperatorSettings } from '#shared/config'
import { Problem, toProblem } from '#shared/errors'
import { writeJson } from '#ops/base/files/json-file'
import { operatorSettingsPath, readOperatorSettings } from '#ops/core/config/settings-files'
import { hostOrigin } from '../base/host-address.ts'
import { hostTokenKey, type Keystore } from './keystore.ts'

/** `$OPENCLAW_HQ_HOME/settings.json`. Read again each time: `hq ship` at a terminal writes to it too. */
export interface SettingsStore {
  /** `$OPENCLAW_HQ_HOME`. */
  readonly home: string
  read(): OperatorSettings
  update(change: Partial<OperatorSettings>): OperatorSettings
}

/** @param home `$OPENCLAW_HQ_HOME` */
export const settingsStore = (home: string): SettingsStore => ({
  home,
  read: () => readOperatorSettings(home),
  update: (change) => {
    const settings = operatorSettings.parse({ ...readOperatorSettings(home), ...change })
    writeJson(operatorSettingsPath(home), settings, { mode: 0o600 })
    return settings
  },
})

/** Is Codex signed in on this laptop, or a key in the environment it reads itself? */
const codexSignedIn = (env: Environment): boolean =>
  existsSync(join(env['CODEX_HOME'] ?? join(env['HOME'] ?? homedir(), '.codex'), 'auth.json')) ||
  (env['CODEX_API_KEY'] ?? '') !== '' ||
  (env['OPENAI_API_KEY'] ?? '') !== ''

/** Has HQ a token that it can use? One that the keystore does not return is entered in Settings, so these must open. */
const hasToken = async (keystore: Keystore, origin: string): Promise<boolean> => {
  try {
    return (await keystore.get(hostTokenKey(origin))) !== null
  } catch (error) {
    if (toProblem(error).errorClass === 'host_not_enrolled') return false
    throw error
  }
}

/** What the renderer may know of the settings: that a token is set, never the token. */
export async function settingsView(
  settings: OperatorSettings,
  keystore: Keystore,
  env: Environment,
): Promise<SettingsView> {
  const { host, review } = settings
  return {
    repository: settings.repository,
    host: host && {
      name: host.name,
      url: host.url,
      token_set: await hasToken(keystore, hostOrigin(host.url, { tls: host.tls })),
    },
    theme: settings.theme,
    keystore: keystore.kind,
    until_green: {
      repairs: settings.until_green.repairs,
      implementer:
        settings.until_green.argv?.[0] ?? `Codex, ${settings.until_green.model ?? review.model}`,
    },
    review: {
      model: review.model,
      provider: review.provider,
      providers: review.providers.map(({ id, label, base_url, scripted, env_key }) => ({
        id,
        label,
        base_url,
        scripted,
        credential: (env_key === null ? codexSignedIn(env) : (env[env_key] ?? '') !== '')
          ? 'present'
          : 'missing',
      })),
    },
  }
}

/** @throws {Problem} `review_provider_refused` when the settings do not name this provider */
export function setReview(
  store: SettingsStore,
  input: Input<'settings.set_review'>,
): OperatorSettings {
  const { review } = store.read()
  if (!review.providers.some(({ id }) => id === input.provider))
    throw new Problem(
      'review_provider_refused',
      `No accepted review provider has the id ${JSON.stringify(input.provider)}. The settings are unchanged.`,
    )
  return store.update({ review: { ...review, provider: input.provider, model: input.model } })
}
