import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { Problem } from '#shared/errors'
import { wholeEnvironment, type Environment } from '#ops/base/env'
import { readRegularFile } from '#ops/base/files/regular-file'
import { connectorSecrets } from '#ops/base/paths/connector-paths'
import { hostPaths, hqHome } from '#ops/base/paths/paths'
import { hostProofPaths } from '#ops/base/paths/proof-paths'
import { isSecretName } from './credential-places.ts'
import { pemBodies } from './private-keys.ts'
import { knowSecrets } from './redaction.ts'

/** Largest file that is searched for secrets, in bytes. */
const maxBytes = 4 * 1024 * 1024
/**
 * A value in a file or variable that is shorter is likelier a word than a secret; a longer one is not a credential.
 * In characters.
 */
const valueLength = { shortest: 12, longest: 8192 } as const

/** @returns null for what this process cannot read: it cannot print it either */
const read = (path: string): string | null => readRegularFile(path, maxBytes)

const named = /token|secret|passw|api_?key|private_?key|cookie|session|^value$/i
/** Addresses (`token_uri`) are public, whatever their field is called. */
const isValue = (value: string): boolean =>
  value.length >= valueLength.shortest &&
  value.length <= valueLength.longest &&
  !/^https?:\/\/[^@]*$/.test(value)

/** Texts of a JSON document that are secret by the name of their field. */
function secretLeaves(value: unknown, name = ''): string[] {
  if (typeof value === 'string')
    return (named.test(name) || isSecretName(name)) && isValue(value) ? [value] : []
  if (Array.isArray(value)) return value.flatMap((each) => secretLeaves(each, name))
  return typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([inner, each]) => secretLeaves(each, inner))
    : []
}

function jsonSecrets(path: string): string[] {
  const text = read(path)
  if (text === null) return []
  try {
    return secretLeaves(JSON.parse(text))
  } catch {
    return isValue(text) ? [text] : [] // no JSON: then the whole of it is what must not get out
  }
}

const filesOf = (folder: string, ending: string): string[] => {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(ending))
      .map((name) => join(folder, name))
  } catch {
    return [] // not there, or not for this process
  }
}

const secretVariable = /(?:TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|_KEY|_PASS|CREDENTIALS?)$/i

/** Values of variables whose name says that they are secret; a path of a key file is none. */
const variableSecrets = (env: Environment): string[] =>
  Object.entries(env).flatMap(([name, value]) =>
    value !== undefined &&
    secretVariable.test(name) &&
    isValue(value) &&
    !(isAbsolute(value) && existsSync(value))
      ? [value]
      : [],
  )

/** Everything secret that a host keeps and this process may read. */
function hostSecrets(env: Environment): string[] {
  const paths = hostPaths(env)
  return [
    read(paths.tokenFile) ?? '',
    ...pemBodies(read(hostProofPaths(paths).keyFile) ?? ''),
    ...filesOf(connectorSecrets(paths), '.json').flatMap(jsonSecrets),
  ]
}

/** Everything secret that HQ keeps on a laptop: tokens of hosts, the ship key, Codex's sign-in. */
function laptopSecrets(env: Environment): string[] {
  const home = hqHome(env)
  // A token in the keyring of the system lies here encrypted; it is met when the keyring gives it out.
  const tokens = filesOf(join(home, 'secrets'), '.secret')
    .flatMap((path) => read(path) ?? [])
    .filter((text) => /^[\x21-\x7e]+\s*$/.test(text))
  return [
    ...tokens,
    ...jsonSecrets(join(home, 'enrolment.json')),
    ...pemBodies(read(join(home, 'keys', 'ship_key.pem')) ?? ''),
    ...jsonSecrets(
      join(env['CODEX_HOME'] ?? join(env['HOME'] ?? homedir(), '.codex'), 'auth.json'),
    ),
  ]
}

/**
 * Makes known what is secret on this machine, for every program of HQ at its start. Nothing is made, changed or kept
 * except in memory. A file that does not exist, or that this process may not read, is left out.
 */
export function loadSecrets(env: Environment = wholeEnvironment()): void {
  for (const secrets of [hostSecrets, laptopSecrets, variableSecrets]) {
    try {
      knowSecrets(secrets(env))
    } catch (error) {
      // A variable that is not a path: the program refuses it when it reads it.
      if (!(error instanceof Problem && error.errorClass === 'config_invalid')) throw error
    }
  }
}
